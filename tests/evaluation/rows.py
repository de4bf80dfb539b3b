"""Rows made by hand, of scores that are easy to add up."""

import math

from edgewise.evaluation.rows import Rings, Row, full_score


def pair_score(iou, *, union=100, **values):
    """A score of one IoU; `mba` and the rest as given, else undefined."""
    intersection = 0 if math.isnan(iou) else round(iou * union)
    counts = {"pixels": 1000, "correct": 900, "intersection": intersection, "union": union}
    return full_score({**counts, "iou": iou, **values})


def row(id_, before, after, *, set_="one", source="", seconds=1.0, truth="t", union=100, **values):
    """A row by its IoU before and after."""
    return Row(
        set=set_,
        id=id_,
        source=source,
        width=40,
        height=25,
        refined=True,
        before=None if before is None else pair_score(before, union=union, **values),
        after=pair_score(after, union=union, **values),
        rings=Rings(pixels=[10] * 7, wrong_before=[2] * 7, wrong_after=[1] * 7),
        seconds=seconds,
        sha256={"truth": truth, "coarse": "c", "photo": "p"},
    )
