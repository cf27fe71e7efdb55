"""Rows of one customer become one. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from followup.contacts.model import GivenConsent, NewContact, RowError


class Merger:
    """Rows of one phone, customer number or OpenID are one customer."""

    def __init__(self) -> None:
        self.contacts: list[NewContact] = []
        self.merged = 0
        self._known: dict[tuple[str, str], int] = {}

    def add(self, contact: NewContact) -> None:
        keys = [(label, key) for label, key in _keys(contact) if key]
        places = {self._known[key]: key[0] for key in keys if key in self._known}
        if len(places) > 1:
            told = "，".join(f"{label}与第 {self.contacts[place].line} 行相同" for place, label in places.items())
            raise RowError(f"{told}，分不清是哪一位客户，请核对。")
        if places:
            (place, label), = places.items()
            contact = _merge(self.contacts[place], contact, label)
            self.contacts[place] = contact
            self.merged += 1
        else:
            place = len(self.contacts)
            self.contacts.append(contact)
        self._known.update(dict.fromkeys(keys, place))


def _keys(contact: NewContact) -> tuple[tuple[str, str], ...]:
    """What tells who somebody is."""
    # A mailbox may be a whole family's: it tells who somebody is only where nothing else does.
    alone = not (contact.phone or contact.external_id or contact.openid)
    return (
        ("电话", contact.phone),
        ("客户编号", contact.external_id),
        ("OpenID", contact.openid),
        ("邮箱", contact.email if alone else ""),
    )


def _merge(earlier: NewContact, later: NewContact, same: str) -> NewContact:
    """Two rows of one customer: what the first leaves open, the second adds. Of different people they are no duplicates."""
    if earlier.name != later.name:
        raise RowError(f"{same}与第 {earlier.line} 行相同，姓名却不同（{earlier.name}、{later.name}），请核对。")
    if earlier.title and later.title and earlier.title != later.title:
        raise RowError(f"与第 {earlier.line} 行是同一位客户，称谓却不同（{earlier.title}、{later.title}），请核对。")
    for (label, one), (_, other) in zip(_keys(earlier)[:3], _keys(later)[:3], strict=True):
        if one and other and one != other:
            raise RowError(f"{same}与第 {earlier.line} 行相同，{label}却不同，请核对。")
    stop = earlier.stop or later.stop
    return replace(
        earlier,
        title=earlier.title or later.title,
        phone=earlier.phone or later.phone,
        email=earlier.email or later.email,
        external_id=earlier.external_id or later.external_id,
        openid=earlier.openid or later.openid,
        groups=tuple(dict.fromkeys((*earlier.groups, *later.groups))),
        consents=() if stop else _agreed_by_both(earlier.consents, later.consents),
        fields={**later.fields, **earlier.fields},
        stop=stop,
    )


def _agreed_by_both(earlier: Sequence[GivenConsent], later: Sequence[GivenConsent]) -> tuple[GivenConsent, ...]:
    """Of two words on one channel the newer one counts; where nobody says which that is, the refusal."""
    found = {one.channel: one for one in earlier}
    for one in later:
        known = found.setdefault(one.channel, one)
        if known.given == one.given:
            continue
        newest = max(known, one, key=lambda consent: consent.at) if known.at and one.at and known.at != one.at else None
        found[one.channel] = newest or (one if known.given else known)
    return tuple(found.values())
