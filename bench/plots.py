"""Draw docs/images/performance.png from the results of bench/refine.py and bench/scaling.py.

    python bench/plots.py [--refine bench/refine.json] [--scaling bench/scaling.json]

Needs matplotlib (the extra `bench`).
"""

import argparse
import json
from pathlib import Path
from typing import Any

import matplotlib as mpl

mpl.use("Agg")
from matplotlib import pyplot as plt

OUTPUT = Path(__file__).parent.parent / "docs" / "images" / "performance.png"


def draw_sizes(axes: Any, rows: list[dict[str, float]]) -> None:
    """Whole command by size, and the memory it took."""
    sizes = [row["megapixels"] for row in rows]
    axes.plot(sizes, [row["total_s"] for row in rows], "o-", label="seconds, whole command")
    axes.plot(sizes, [row["peak_mb"] / 1000 for row in rows], "s--", label="GB at most")
    axes.set(xlabel="megapixels", title="One photo", ylim=(0, None))
    axes.legend(frameon=False)


def draw_series(axes: Any, rows: list[dict[str, float]], key: str, what: str, title: str) -> None:
    """Processor time against one quantity, logarithmic, each row's own values as ticks."""
    values, seconds = [row[key] for row in rows], [row["cpu_s"] for row in rows]
    axes.loglog(values, seconds, "o-")
    axes.set_xticks(values, [f"{value:,.0f}" for value in values])
    axes.set_yticks(seconds, [f"{value:.1f}" for value in seconds])
    axes.minorticks_off()
    axes.set(xlabel=what, ylabel="processor seconds", title=title)


def main() -> None:
    """Read the results and draw."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    here = Path(__file__).parent
    parser.add_argument("--refine", type=Path, default=here / "refine.json")
    parser.add_argument("--scaling", type=Path, default=here / "scaling.json")
    parser.add_argument("--output", type=Path, default=OUTPUT)
    options = parser.parse_args()
    scaling = json.loads(options.scaling.read_text())
    figure, axes = plt.subplots(1, 3, figsize=(12, 3.6), layout="constrained")
    draw_sizes(axes[0], json.loads(options.refine.read_text()))
    edges = scaling["exponent_of_boundary_of_edges"]
    title = f"to the power of {scaling['exponent_of_boundary']:.2f} (edges alone {edges:.2f})"
    draw_series(axes[1], scaling["by_boundary"], "boundary", "pixels of edge", title)
    title = f"to the power of {scaling['exponent_of_area']:.2f}"
    draw_series(axes[2], scaling["by_area"], "megapixels", "megapixels", title)
    figure.savefig(options.output, dpi=110)


if __name__ == "__main__":
    main()
