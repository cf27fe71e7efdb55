"""Bodies of requests -> customers, with every error at its place. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any

from followup.api.problems import FieldError, Problem
from followup.contacts.columns import Use, use_of
from followup.contacts.dates import DateError, read_date
from followup.contacts.groups import LONGEST as LONGEST_GROUP
from followup.contacts.groups import MOST as MOST_GROUPS
from followup.contacts.groups import group
from followup.contacts.parse import CHANNELS, LONGEST_CELL, GivenConsent, Merger, NewContact, RowError, consent_at, email_of, id_of, name_and_title, phone_of
from followup.contacts.stop import AgeError, StopReader

MOST_CONTACTS = 1000
_MOST_FIELDS = 100
_MOST_ERRORS = 100
_CONTACT = ("external_id", "name", "title", "phone", "email", "openid", "groups", "fields", "dates", "consents")
_CONSENT = ("channel", "given", "source", "text_version", "at")


def contacts_of(body: Any, today: date) -> list[NewContact]:
    """`{"contacts": [...]}` with 1 to 1,000 customers. Raises Problem (422) with all that is wrong."""
    _object(body, "", ("contacts",))
    raw = body.get("contacts")
    if not isinstance(raw, list) or not 1 <= len(raw) <= MOST_CONTACTS:
        raise _invalid([FieldError("/contacts", f"应为 1 到 {MOST_CONTACTS} 位客户的列表。")])
    errors: list[FieldError] = []
    merger = Merger()
    for index, one in enumerate(raw):
        contact = _contact(one, f"/contacts/{index}", index + 1, errors, today)
        if contact is not None:
            before = merger.merged
            try:
                merger.add(contact)
            except RowError:
                pass
            else:
                if merger.merged == before:
                    continue
            errors.append(FieldError(f"/contacts/{index}", "与前面的一位是同一位客户（电话、客户编号或 OpenID 相同），请合并。"))
    if errors:
        raise _invalid(errors)
    return merger.contacts


def contact_of(body: Any, external_id: str, today: date) -> NewContact:
    """One customer, named by the address. Raises Problem (422)."""
    errors: list[FieldError] = []
    if isinstance(body, dict) and body.get("external_id", external_id) != external_id:
        errors.append(FieldError("/external_id", "与网址里的客户编号不同。"))
    contact = _contact({**body, "external_id": external_id} if isinstance(body, dict) else body, "", 1, errors, today)
    if errors or contact is None:
        raise _invalid(errors)
    return contact


def event_of(body: Any, now: datetime) -> tuple[str, str]:
    """`{"name": "签收日期", "at": "2026-03-05 14:30"}` -> column and ISO text; without `at` it happened now. Raises Problem."""
    _object(body, "", ("name", "at"))
    errors: list[FieldError] = []
    name, at = _text(body, "name", "", errors, longest=60), _text(body, "at", "", errors)
    if not name and not errors:
        errors.append(FieldError("/name", "请写明是什么日期，例如“签收日期”。"))
    try:
        when = read_date(at) if at else f"{now:%Y-%m-%d %H:%M}"
    except DateError as error:
        errors.append(FieldError("/at", str(error)))
    if errors:
        raise _invalid(errors)
    return name, when


def stop_of(body: Any, *, with_phone: bool) -> tuple[str, str]:
    """`{"reason": "…"}`, perhaps with a `phone` -> both as text. Raises Problem."""
    _object(body, "", ("phone", "reason") if with_phone else ("reason",))
    errors: list[FieldError] = []
    phone, reason = _text(body, "phone", "", errors, longest=30), _text(body, "reason", "", errors, longest=500)
    if not reason and not errors:
        errors.append(FieldError("/reason", "请写明原因。"))
    if with_phone and not phone and not errors:
        errors.append(FieldError("/phone", "请写明电话。"))
    if errors:
        raise _invalid(errors)
    return phone, reason


def _contact(raw: Any, path: str, line: int, errors: list[FieldError], today: date) -> NewContact | None:
    known = len(errors)
    if not isinstance(raw, dict):
        errors.append(FieldError(path, "应为一位客户的资料（JSON 对象）。"))
        return None
    errors += [FieldError(f"{path}/{_pointer(key)}", "没有这一项。") for key in raw if key not in _CONTACT]
    texts = {name: _text(raw, name, path, errors) for name in ("external_id", "name", "title", "phone", "email", "openid")}
    texts_of, dates = _fields(raw.get("fields", {}), f"{path}/fields", errors), _dates(raw.get("dates", {}), f"{path}/dates", errors)
    groups = _groups(raw.get("groups", []), f"{path}/groups", errors)
    consents = _consents(raw.get("consents", []), f"{path}/consents", errors, today)
    found: dict[str, str] = {}
    for name, read in (("phone", phone_of), ("email", email_of)):
        try:
            found[name] = read(texts[name]) if texts[name] else ""
        except RowError as error:
            errors.append(FieldError(f"{path}/{name}", str(error)))
    for name in ("external_id", "openid"):
        try:
            found[name] = id_of("客户编号" if name == "external_id" else "OpenID", texts[name])
        except RowError as error:
            errors.append(FieldError(f"{path}/{name}", str(error)))
    try:
        name, title = name_and_title(texts["name"], texts["title"], "")
    except RowError as error:
        errors.append(FieldError(f"{path}/{error.field or 'name'}", str(error)))
    if len(errors) == known and not any(found.values()):
        errors.append(FieldError(path, "电话、邮箱、客户编号、OpenID 至少要有一项。"))
    stop = _stop(name, texts_of, dates, groups, path, errors, today) if len(errors) == known else ""
    if len(errors) > known:
        return None
    ids = found["email"], found["external_id"], found["openid"]
    return NewContact(line, name, title, found["phone"], texts_of | dates, *ids, groups, () if stop else consents, stop)


def _stop(
    name: str, fields: Mapping[str, str], dates: Mapping[str, str], groups: tuple[str, ...], path: str, errors: list[FieldError], today: date
) -> str:
    """Why the customer must not be contacted, where the data say so themselves: heard as in a file."""
    header = [*fields, *dates, "客户分组"]
    uses = [*(use_of(key) for key in fields), *(Use.DATE for _ in dates), Use.GROUPS]
    try:
        return StopReader(header, uses).reason([*fields.values(), *dates.values(), "、".join(groups)], name, today)
    except AgeError as error:
        errors.append(FieldError(f"{path}/dates", str(error)))
        return ""


def _fields(raw: Any, path: str, errors: list[FieldError]) -> dict[str, str]:
    if not isinstance(raw, dict) or len(raw) > _MOST_FIELDS:
        errors.append(FieldError(path, f"应为不超过 {_MOST_FIELDS} 项的 JSON 对象。"))
        return {}
    found = {}
    for key, value in raw.items():
        text = ("是" if value else "否") if isinstance(value, bool) else "" if value is None else value
        if isinstance(text, (int, float)) and abs(text) < 1e100:
            text = f"{text:.15g}"
        if not isinstance(text, str) or len(text) > LONGEST_CELL or not key.strip() or len(key) > 60 or "\0" in key + text:
            errors.append(FieldError(f"{path}/{_pointer(key)}", f"应为不超过 {LONGEST_CELL} 个字的文字、数字或真假值，名称不超过 60 个字。"))
        elif text.strip():
            found[key.strip()] = text.strip()
    return found


def _dates(raw: Any, path: str, errors: list[FieldError]) -> dict[str, str]:
    found = _fields(raw, path, errors)
    for key, value in list(found.items()):
        try:
            found[key] = read_date(value)
        except DateError as error:
            errors.append(FieldError(f"{path}/{_pointer(key)}", str(error)))
    return found


def _groups(raw: Any, path: str, errors: list[FieldError]) -> tuple[str, ...]:
    usable = isinstance(raw, list) and len(raw) <= MOST_GROUPS
    if not usable or not all(isinstance(one, str) and one.strip() and len(one) <= LONGEST_GROUP and "\0" not in one for one in raw):
        errors.append(FieldError(path, f"应为不超过 {MOST_GROUPS} 个分组名的列表，每个不超过 {LONGEST_GROUP} 个字。"))
        return ()
    return tuple(dict.fromkeys(map(group, raw)))


def _consents(raw: Any, path: str, errors: list[FieldError], today: date) -> tuple[GivenConsent, ...]:
    if not isinstance(raw, list) or len(raw) > len(CHANNELS):
        errors.append(FieldError(path, "应为列表，每种方式一项。"))
        return ()
    found: dict[str, GivenConsent] = {}
    for index, one in enumerate(raw):
        here = f"{path}/{index}"
        if not isinstance(one, dict) or one.get("channel") not in CHANNELS or not isinstance(one.get("given"), bool):
            errors.append(FieldError(here, "要有 channel（sms、email 或 wechat）和 given（true 或 false）。"))
            continue
        errors += [FieldError(f"{here}/{_pointer(key)}", "没有这一项。") for key in one if key not in _CONSENT]
        source, version = _text(one, "source", here, errors, longest=100), _text(one, "text_version", here, errors, longest=60)
        at = _text(one, "at", here, errors)
        if not source:
            errors.append(FieldError(f"{here}/source", "请写明在哪里同意或收回的，例如“购买合同”。"))
        try:
            at = consent_at(at, today)
        except RowError as error:
            errors.append(FieldError(f"{here}/at", str(error)))
        found[one["channel"]] = GivenConsent(one["channel"], one["given"], source, version, at)
    return tuple(found.values())


def _text(raw: Mapping[str, Any], name: str, path: str, errors: list[FieldError], longest: int = LONGEST_CELL) -> str:
    value = raw.get(name)
    if value is None:
        return ""
    if not isinstance(value, str) or len(value) > longest or not value.isprintable():
        errors.append(FieldError(f"{path}/{name}", f"应为不超过 {longest} 个字的一行文字。"))
        return ""
    return value.strip()


def _object(body: Any, path: str, allowed: tuple[str, ...]) -> None:
    if not isinstance(body, dict):
        raise _invalid([FieldError(path, "应为 JSON 对象。")])
    if unknown := [FieldError(f"{path}/{_pointer(key)}", "没有这一项。") for key in body if key not in allowed]:
        raise _invalid(unknown)


def _pointer(key: str) -> str:
    return key[:60].replace("~", "~0").replace("/", "~1")


def _invalid(errors: list[FieldError]) -> Problem:
    more = f"，这里列出前 {_MOST_ERRORS} 处" if len(errors) > _MOST_ERRORS else ""
    return Problem(422, f"有 {len(errors)} 处需要修改{more}，什么也没有写入。", errors[:_MOST_ERRORS])
