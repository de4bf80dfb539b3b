"""Tables: published and measured lines in one form, with what a reader must know."""

import csv
import math

from edgewise.benchmarks import tables
from edgewise.benchmarks.figures import Figure, published
from edgewise.benchmarks.tables import write_csv


def measured(method, network="pspnet", **values):
    values = {"iou": 0.95, "mba": 0.8, "pairs": 100, **values}
    return Figure(dataset="big", network=network, method=method, **values)


def markdown(dataset, figures, **options):
    return tables.markdown(tables.table(dataset, figures, **options))


def cells(table):
    """The lines of a Markdown table as lists of cells, without head and rule."""
    lines = [line for line in table.splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]


def test_a_line_has_a_column_a_network_in_percent():
    head, _, *lines = cells(markdown("big", published(["big"])))
    assert head == ["IoU / mBA", "source", "DeepLabV3+", "RefineNet", "PSPNet", "FCN-8s"]
    found = {line[0]: line for line in lines}
    assert found["SegRefiner-HR"] == [
        "SegRefiner-HR", "[1]", "94.86 / 77.64", "95.12 / 76.93", "95.30 / 77.46", "86.95 / 72.81",
    ]  # fmt: skip
    assert found["coarse"][5] == "72.39 / 53.63"


def test_measured_lines_follow_published_ones_and_gaps_are_dashes():
    table = markdown("big", [measured("edgewise"), *published(["big"])])
    *_, last = cells(table)
    assert last == ["edgewise", "measured here", "–", "–", "95.00 / 80.00", "–"]


def test_sources_are_named_below_with_their_doubts():
    assert "\n- [1] Wang et al., SegRefiner, NeurIPS 2023, table 1\n" in markdown(
        "big", published(["big"]), about="with network x"
    )
    assert "[1] Cheng et al., CascadePSP, CVPR 2020 (quoted second-hand" in markdown(
        "pascal", published(["pascal"])
    )


def test_notes_say_what_was_left_out_and_of_which_methods():
    figures = [
        measured("coarse", pairs=2),
        measured("edgewise", pairs=2, undefined=1),
        measured("edgewise", "fcn8s"),
    ]
    notes = markdown("big", figures, about="network x").split("\n\n")[-1]
    assert notes.splitlines() == [
        "- PSPNet: 2 of 100 objects (coarse, edgewise)",
        "- PSPNet: mBA undefined in 1 of 2 (edgewise)",
        "- network x",
    ]


def test_figures_of_other_datasets_stay_out():
    assert "SegFix" not in markdown("pascal", published(["big", "pascal"]))


def test_undefined_scores_are_dashes():
    assert cells(markdown("big", [measured("edgewise", mba=math.nan)]))[2][4] == "95.00 / –"


def test_columns_line_up_as_text():
    table = markdown("big", published(["big"]))
    assert len({len(line) for line in table.splitlines() if line.startswith("|")}) == 1


def test_csv_has_a_line_a_figure(tmp_path):
    figures = [*published(["big"]), measured("edgewise", mba=math.nan, iou_per_image=0.9)]
    write_csv(tmp_path / "all.csv", figures)
    with (tmp_path / "all.csv").open(newline="") as file:
        lines = list(csv.DictReader(file))
    assert len(lines) == len(figures)
    assert lines[-1]["method"] == "edgewise"
    assert lines[-1]["mba"] == ""
    assert lines[-1]["iou_per_image"] == "0.9"
    assert lines[0]["source"] == "segrefiner"
