"""Runs of a few or of many pairs, for reports."""

import numpy as np

from edgewise.evaluation import Header, summarise
from edgewise.evaluation.outcome import Outcome
from tests.evaluation.rows import row


def outcome(rows, **more):
    """A finished run of these rows."""
    rows = list(rows)
    return Outcome(
        header=Header(engine={"engine": "e"}), overview=summarise(rows), rows=rows, **more
    )


def many(count, *, seed=3):
    """Rows of some photos with two sources each, in three sets, that mostly gain a little."""
    random = np.random.default_rng(seed)
    for at in range(count):
        before = float(random.uniform(0.6, 0.95))
        after = min(1.0, before + float(random.normal(0.02, 0.02)))
        yield row(
            f"photo{at // 2:05}",
            before,
            after,
            set_=f"set{at % 3}",
            source=("polygon", "network")[at % 2],
            mba=float(random.uniform(0.5, 0.8)),
            boundary_iou_fine=0.5,
        )
