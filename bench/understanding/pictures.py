"""Two pictures as SVG: which intent is taken for which, and how sure against how right. No library, no style sheet."""

from __future__ import annotations

from collections import Counter
from html import escape
from typing import Mapping, Sequence

from bench.understanding.frozen import Reply
from bench.understanding.systems import Ranking

_CELL, _MARGIN = 13, 150
_SIZE, _EDGE = 320, 40
_COLOURS = ("#1f5fbf", "#c2571a")
_BINS = 10


def confusions(replies: Sequence[Reply], rankings: Sequence[Ranking]) -> str:
    """A square of all intents: rows as meant, columns as understood; the darker, the larger share of the row."""
    names = sorted({reply.intent for reply in replies} | {ranking[0][0] for ranking in rankings})
    place = {name: number for number, name in enumerate(names)}
    pairs = Counter((reply.intent, ranking[0][0]) for reply, ranking in zip(replies, rankings))
    totals = Counter(reply.intent for reply in replies)
    side = _MARGIN + _CELL * len(names)
    parts = [_open(side, side, "confusions: rows as meant, columns as understood")]
    for name, number in place.items():
        at = _MARGIN + _CELL * number + _CELL - 3
        parts.append(f'<text x="{_MARGIN - 4}" y="{at}" text-anchor="end">{escape(name)}</text>')
        parts.append(f'<text transform="translate({at},{_MARGIN - 4}) rotate(-90)">{escape(name)}</text>')
    for (meant, heard), count in sorted(pairs.items()):
        colour = _COLOURS[0] if meant == heard else _COLOURS[1]
        x, y = _MARGIN + _CELL * place[heard], _MARGIN + _CELL * place[meant]
        share = max(0.08, count / totals[meant])
        parts.append(
            f'<rect x="{x}" y="{y}" width="{_CELL - 1}" height="{_CELL - 1}" fill="{colour}" fill-opacity="{share:.2f}">'
            f"<title>{escape(meant)} → {escape(heard)}: {count}</title></rect>"
        )
    return "".join([*parts, "</svg>"])


def calibration(curves: Mapping[str, tuple[Sequence[Reply], Sequence[Ranking]]]) -> str:
    """At most two systems: the share right of the replies in each tenth of confidence; the larger the dot, the more."""
    width = _SIZE + 2 * _EDGE
    parts = [_open(width, width + 20 * len(curves), "calibration: confidence across, share right upwards")]
    parts.append(_line([(0.0, 0.0), (1.0, 1.0)], "#999999", "4"))
    for number, (label, (replies, rankings)) in enumerate(curves.items()):
        colour = _COLOURS[number]
        points = _points(replies, rankings)
        parts.append(_line([(x, y) for x, y, _ in points], colour, ""))
        for x, y, share in points:
            parts.append(f'<circle cx="{_x(x):.1f}" cy="{_y(y):.1f}" r="{2 + 10 * share:.1f}" fill="{colour}" fill-opacity="0.6"/>')
        parts.append(f'<text x="{_EDGE}" y="{width + 16 * number}" fill="{colour}">{escape(label)}</text>')
    for tick in (0.0, 0.5, 1.0):
        parts.append(f'<text x="{_x(tick):.0f}" y="{_EDGE + _SIZE + 14}" text-anchor="middle">{tick}</text>')
        parts.append(f'<text x="{_EDGE - 6}" y="{_y(tick):.0f}" text-anchor="end">{tick}</text>')
    return "".join([*parts, "</svg>"])


def _points(replies: Sequence[Reply], rankings: Sequence[Ranking]) -> list[tuple[float, float, float]]:
    """(mean confidence, share right, share of all replies) of each tenth that is not empty."""
    bins: dict[int, list[tuple[float, bool]]] = {}
    for reply, ranking in zip(replies, rankings):
        name, confidence = ranking[0]
        bins.setdefault(min(int(confidence * _BINS), _BINS - 1), []).append((min(confidence, 1.0), name == reply.intent))
    return [
        (sum(c for c, _ in found) / len(found), sum(right for _, right in found) / len(found), len(found) / len(replies))
        for _, found in sorted(bins.items())
    ]


def _open(width: int, height: int, label: str) -> str:
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" role="img" aria-label="{label}"'
        ' font-family="sans-serif" font-size="10">'
    )


def _line(points: Sequence[tuple[float, float]], colour: str, dashes: str) -> str:
    path = " ".join(f"{_x(x):.1f},{_y(y):.1f}" for x, y in points)
    return f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-dasharray="{dashes}"/>'


def _x(value: float) -> float:
    return _EDGE + _SIZE * value


def _y(value: float) -> float:
    return _EDGE + _SIZE * (1.0 - value)
