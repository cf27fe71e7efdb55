"""Drawing a campaign's customers again, from its list of lots alone: what an auditor does with the downloaded file. Pure but for `read`."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from followup.campaigns import ledger
from followup.campaigns.definition import Stratum
from followup.campaigns.labels import label
from followup.campaigns.sampling import Counts, Member, draw, lot

HEAD = ("参加的抽样", "抽样时间", "种子", "分层", "比例（%）", "客户编号", "签号", "抽中于", "怎样抽中")


class NotAList(ValueError):
    """The file is no list of lots; the message says in Chinese what is wrong."""


@dataclass(frozen=True, slots=True)
class Lot:
    """One customer's part in the draws. `joined`: the number of the draw the customer took part in first."""

    joined: int
    at: str
    seed: int
    stratum: str
    percent: str
    contact_id: int
    lot: int
    drawn_by: int | None
    """The draw that chose the customer: `joined`, or a later top-up; None: never drawn."""
    kind: str

    def cells(self) -> tuple[object, ...]:
        return (
            self.joined, self.at, self.seed, self.stratum, self.percent, self.contact_id, self.lot,
            "" if self.drawn_by is None else self.drawn_by, self.kind,
        )  # fmt: skip


@dataclass(slots=True)
class Found:
    """What drawing again came to, for one draw and stratum."""

    number: int
    stratum: str
    members: int
    drawn: int
    wrong: list[int] = field(default_factory=list)
    """Customers who are drawn in only one of the two, or whose lot is another one."""


@dataclass(slots=True)
class TopUps:
    """Of a stratum: how many were drawn to replace others, and how many in front of them in the order were passed over."""

    stratum: str
    drawn: int
    passed_over: int


async def read(session: AsyncSession, campaign_id: int) -> list[Lot]:
    """Everybody who took part in a draw of the campaign, in the order of draws and lots."""
    rows = await session.execute(_READ, {"id": campaign_id})
    return [
        Lot(
            row.joined, ledger.moment(row.at), row.seed, row.stratum, _percent(row.strata, row.stratum), row.contact_id,
            lot(row.seed, row.contact_id) >> 1, row.drawn_by, "" if row.drawn_by is None else label(row.kind, "draws"),
        )
        for row in rows
    ]  # fmt: skip


# A customer's entries are first written with the draw they take part in, at its very time.
_READ = text(
    """
    SELECT mine.contact_id, mine.stratum, mine.drawn_by, first.id AS joined, first.at, first.seed, first.strata, its.kind
    FROM (
        SELECT contact_id, min(stratum) AS stratum, min(created_at) AS joined_at, min(draw_id) AS drawn_by
        FROM campaign_entries WHERE campaign_id = :id GROUP BY contact_id
    ) AS mine
    JOIN campaign_draws AS first ON first.campaign_id = :id AND first.kind <> 'top_up' AND first.at = mine.joined_at
    LEFT JOIN campaign_draws AS its ON its.id = mine.drawn_by
    ORDER BY first.id, mine.stratum, mine.contact_id
    """
)


def _percent(strata: Sequence[Mapping[str, object]], name: str) -> str:
    share = next((one.get("share", 0) for one in strata if one["name"] == name), 0)
    return f"{float(str(share)) * 100:g}"


def as_csv(lots: Iterable[Lot], rule: str) -> str:
    """The file: how it was drawn in lines that begin with #, then a line for each customer."""
    out = io.StringIO()
    out.write("".join(f"# {line}\n" for line in rule.splitlines()))
    csv.writer(out, lineterminator="\n").writerows([HEAD, *(one.cells() for one in lots)])
    return out.getvalue()


def from_csv(written: str) -> list[Lot]:
    """Raises NotAList."""
    lines = [line for line in written.removeprefix("\ufeff").splitlines() if line.strip() and not line.lstrip('"').startswith("#")]
    rows = list(csv.reader(lines))
    if not rows or tuple(rows[0][: len(HEAD)]) != HEAD:
        raise NotAList("这不是抽样名单：第一行应当是 " + "、".join(HEAD) + "。")
    found = []
    for number, row in enumerate(rows[1:], 2):
        try:
            joined, at, seed, stratum, percent, contact_id, its_lot, drawn_by, kind = row[: len(HEAD)]
            found.append(Lot(int(joined), at, int(seed), stratum, str(float(percent)), int(contact_id), int(its_lot), int(drawn_by) if drawn_by else None, kind))
        except ValueError:
            raise NotAList(f"名单的第 {number} 行读不懂：{'，'.join(row)[:80]}") from None
    return found


def again(lots: Sequence[Lot]) -> list[Found]:
    """Each draw, drawn once more from seed, share and customer ids; the list's own lots and results are only compared with."""
    before: dict[str, Counts] = {}
    found = []
    for number, members in groupby(sorted(lots, key=lambda one: one.joined), key=lambda one: one.joined):
        for stratum, group in groupby(sorted(members, key=lambda one: one.stratum), key=lambda one: one.stratum):
            its = list(group)
            share = Stratum(stratum, (), float(its[0].percent) / 100)
            (drawn,) = draw(its[0].seed, (share,), [Member(one.contact_id, frozenset()) for one in its], before)
            chosen = set(drawn.chosen)
            wrong = [one.contact_id for one in its if (one.contact_id in chosen) != (one.drawn_by == number) or one.lot != lot(one.seed, one.contact_id) >> 1]
            found.append(Found(number, stratum, len(its), len(chosen), wrong))
            earlier = before.get(stratum, Counts())
            before[stratum] = Counts(earlier.population + len(its), earlier.drawn + len(chosen))
    return found


def top_ups(lots: Sequence[Lot]) -> list[TopUps]:
    """By stratum. Passed over are those who could not be drawn any more: on the list 免打扰, their time past, their data missing."""
    found = []
    for stratum, group in groupby(sorted(lots, key=lambda one: one.stratum), key=lambda one: one.stratum):
        its = list(group)
        late = [one for one in its if one.drawn_by is not None and one.drawn_by != one.joined]
        if late:
            last = max(one.drawn_by or 0 for one in late)
            furthest = max(one.lot for one in late if one.drawn_by == last)
            over = [one for one in its if one.drawn_by is None and one.joined < last and one.lot < furthest]
            found.append(TopUps(stratum, len(late), len(over)))
    return found
