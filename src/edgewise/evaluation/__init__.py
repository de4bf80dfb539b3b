"""Evaluation: score folders of pairs in the published layouts, and compare runs.

`find_pairs` lists what a folder holds, `evaluate` scores it pair by pair, `summarise` makes the
table, `compare` sets two runs side by side. Nothing here prints.
"""

from edgewise.engines import FunctionEngine, NetworkEngine, OpenRefine, Refine
from edgewise.evaluation.outcome import Outcome, Rival
from edgewise.evaluation.pairs import Found, Pair, find_pairs
from edgewise.evaluation.results import Header, Results, read_results
from edgewise.evaluation.rows import Failure, Row
from edgewise.evaluation.run import evaluate
from edgewise.evaluation.summary import Overview, Tally, summarise

__all__ = [
    "Failure",
    "Found",
    "FunctionEngine",
    "Header",
    "NetworkEngine",
    "OpenRefine",
    "Outcome",
    "Overview",
    "Pair",
    "Refine",
    "Results",
    "Rival",
    "Row",
    "Tally",
    "evaluate",
    "find_pairs",
    "read_results",
    "summarise",
]
