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


def draw_series(axes: Any, rows: list[dict[str, float]], key: str, exponent: float) -> None:
    """Processor time against one quantity, logarithmic."""
    axes.loglog([row[key] for row in rows], [row["cpu_s"] for row in rows], "o-")
    axes.set(xlabel=key, ylabel="processor seconds", title=f"exponent {exponent:.2f}")


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
    draw_series(axes[1], scaling["by_boundary"], "boundary", scaling["exponent_of_boundary"])
    draw_series(axes[2], scaling["by_area"], "megapixels", scaling["exponent_of_area"])
    figure.savefig(options.output, dpi=110)


if __name__ == "__main__":
    main()
