"""The table of ratios as a picture: bars on a logarithmic scale, the line is ours."""

from __future__ import annotations

from pathlib import Path

import matplotlib

matplotlib.use("Agg")

from matplotlib import pyplot  # noqa: E402

from bench.measure import OURS, SYSTEMS, Results  # noqa: E402

_COLOURS = {"stock Rasa": "#7a869a", "DIET + rules": "#c58b3b"}
_LIMIT = 1000.0


def draw(results: Results, path: Path, below: str) -> None:
    """Write an SVG; the same figures give the same bytes."""
    ratios = results.ratios()[::-1]
    height = 0.38
    with pyplot.rc_context({"svg.hashsalt": "bench", "font.size": 9, "svg.fonttype": "none"}):
        figure, axes = pyplot.subplots(figsize=(8, 1.2 + 0.5 * len(ratios)), layout="constrained")
        for offset, name in ((height / 2, SYSTEMS[1]), (-height / 2, SYSTEMS[2])):
            rows = [(number + offset, min(row[name], _LIMIT)) for number, (_, row) in enumerate(ratios) if name in row]
            if rows:
                widths = [x - 1 for _, x in rows]  # from our line on, to the left where we need more
                axes.barh([y for y, _ in rows], widths, height, left=1, label=name, color=_COLOURS[name])
                for y, x in rows:
                    axes.annotate(f"{x:.2f}", (max(x, 1), y), (3, 0), textcoords="offset points", va="center", fontsize=8)
        axes.axvline(1, color="#1d5fa8", linewidth=1.5, label=f"{OURS} = 1")
        axes.set_xscale("log")
        axes.margins(x=0.15)
        axes.set_yticks(range(len(ratios)), [label for label, _ in ratios])
        axes.set_xlabel(f"multiples of {OURS}; longer is slower or larger. {below}")
        axes.legend(loc="upper center", bbox_to_anchor=(0.4, 1.0), ncols=3, frameon=False, borderaxespad=-2)
        for side in ("top", "right"):
            axes.spines[side].set_visible(False)
        path.parent.mkdir(parents=True, exist_ok=True)
        figure.savefig(path, metadata={"Date": None})
        pyplot.close(figure)
