"""A script's flow as an SVG picture, laid out in three columns without any outside tool.

Left: what every customer meets, and the branches; middle: what is asked only on a condition; right: probes and
endings beside their question. All lengths in pixels.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from html import escape

from followup.scripts.draw import Edge, Flow, Kind, Node, flow
from followup.scripts.model import Script

WIDTH, GAP_X, GAP_Y, MARGIN = 250, 90, 34, 24
LINE, FONT, PER_LINE = 18, 13, 16.5
_PIECES = re.compile(r"\{\w+\}|[A-Za-z0-9_.%-]+|.")
_NEVER_FIRST = "，。！？；：、）”…"
_FILL = {
    Kind.BEGIN: "#e6f2ea", Kind.QUESTION: "#ffffff", Kind.STEP: "#f3f1fb", Kind.BRANCH: "#fff6df",
    Kind.PROBE: "#fdeeea", Kind.END: "#e9eef6",
}  # fmt: skip


@dataclass(frozen=True)
class Box:
    node: Node
    x: float
    y: float
    lines: tuple[str, ...]

    @property
    def height(self) -> float:
        return _height(self.lines)

    @property
    def middle(self) -> tuple[float, float]:
        return self.x + WIDTH / 2, self.y + self.height / 2


def svg(script: Script) -> str:
    """The picture as SVG text."""
    graph = flow(script)
    boxes = {box.node.id: box for box in _placed(graph)}
    height = max(box.y + box.height for box in boxes.values()) + MARGIN
    width = max(box.x for box in boxes.values()) + WIDTH + MARGIN
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:g} {height:g}" width="{width:g}" '
        f'height="{height:g}" font-family="PingFang SC, Microsoft YaHei, Noto Sans CJK SC, sans-serif" font-size="{FONT}">',
        f"<title>{escape(script.name)}</title>",
        '<defs><marker id="tip" viewBox="0 0 8 8" refX="8" refY="4" markerWidth="7" markerHeight="7" orient="auto">'
        '<path d="M0 0 L8 4 L0 8 z" fill="#5b6470"/></marker></defs>',
        f'<rect width="{width:g}" height="{height:g}" fill="#fafafa"/>',
        *(_line(edge, boxes) for edge in graph.edges),
        *(_drawn(box) for box in boxes.values()),
        "</svg>",
    ]
    return "\n".join(parts) + "\n"


def _placed(graph: Flow) -> list[Box]:
    """Boxes from top to bottom; a guarded question beside its branch, side nodes beside their question."""
    boxes: list[Box] = []
    row_top, row_bottom = float(MARGIN), float(MARGIN)
    side_bottom = row_top
    for node in graph.nodes:
        lines = _lines(node)
        column = 2 if node.beside else 1 if node.guarded else 0
        x = MARGIN + column * (WIDTH + GAP_X)
        if node.beside:
            y = max(side_bottom, row_top)
            side_bottom = y + _height(lines) + GAP_Y / 2
        elif node.guarded and boxes and boxes[-1].node.kind is Kind.BRANCH:
            y = row_top  # on the same row as the branch before it
        else:
            row_top = y = row_bottom if not boxes else max(row_bottom, side_bottom - GAP_Y / 2) + GAP_Y
            side_bottom = row_top
        boxes.append(Box(node, x, y, lines))
        row_bottom = max(row_bottom, y + _height(lines))
    return boxes


def _height(lines: tuple[str, ...]) -> float:
    return len(lines) * LINE + 16


def _lines(node: Node) -> tuple[str, ...]:
    wrapped, room = [""], float(PER_LINE)
    for piece in _PIECES.findall(node.text):
        width = sum(1 if ord(character) > 0x2E80 or character in "“”…" else 0.56 for character in piece)
        if width > room and piece not in _NEVER_FIRST:
            wrapped.append("")
            room = PER_LINE
        wrapped[-1] += piece
        room -= width
    return ((node.title,) if node.title else ()) + tuple(wrapped)


def _line(edge: Edge, boxes: dict[str, Box]) -> str:
    source, target = boxes[edge.source], boxes[edge.target]
    (sx, sy), (tx, ty) = source.middle, target.middle
    anchor = ""
    if target.node.beside:
        points = [(source.x + WIDTH, min(sy, ty)), (target.x - 18, min(sy, ty)), (target.x - 18, ty), (target.x, ty)]
        label_at, dashed = (target.x - 14, ty - 5), ' stroke-dasharray="5 4"'
        anchor = ' text-anchor="end"'
    elif target.x > source.x and target.y == source.y:
        level = min(source.y + source.height, target.y + target.height) - 14
        points = [(source.x + WIDTH, level), (target.x, level)]
        label_at, dashed = (source.x + WIDTH + 6, level - 5), ""
    else:
        above = target.y - GAP_Y / 2
        points = [(sx, source.y + source.height), (sx, above), (tx, above), (tx, target.y)]
        label_at, dashed = (sx + 6, source.y + source.height + 13), ""
    path = " ".join(f"{x:g},{y:g}" for x, y in points)
    drawn = f'<polyline points="{path}" fill="none" stroke="#5b6470"{dashed} marker-end="url(#tip)"/>'
    if not edge.label:
        return drawn
    return f'{drawn}<text x="{label_at[0]:g}" y="{label_at[1]:g}" fill="#3c4450" font-size="12"{anchor} paint-order="stroke" stroke="#fafafa" stroke-width="4">{escape(edge.label)}</text>'


def _drawn(box: Box) -> str:
    radius = box.height / 2 if box.node.kind in (Kind.BEGIN, Kind.END) else 4
    stroke = "#c98a00" if box.node.kind is Kind.BRANCH else "#8a94a3"
    shape = (
        f'<rect x="{box.x:g}" y="{box.y:g}" width="{WIDTH}" height="{box.height:g}" rx="{min(radius, 18):g}" '
        f'fill="{_FILL[box.node.kind]}" stroke="{stroke}"/>'
    )
    spans = "".join(
        f'<tspan x="{box.x + 12:g}" dy="{LINE}"{_title_style(box, i)}>{escape(line)}</tspan>' for i, line in enumerate(box.lines)
    )
    return f'{shape}<text x="{box.x + 12:g}" y="{box.y + 2:g}" fill="#1f2630">{spans}</text>'


def _title_style(box: Box, index: int) -> str:
    return ' fill="#5b6470" font-size="11"' if index == 0 and box.node.title else ""
