"""A run that is killed, or whose workers are, goes on without losing or repeating anything.

The same at full size: python -m tests.batch.killing --jobs 200 --kills 20
"""

from tests.batch.fakes import write_pairs
from tests.batch.killing import do, killed, verdict

JOBS = 30


def test_after_kills_every_output_is_there_once_and_equals_an_undisturbed_runs(tmp_path):
    calm, folder = tmp_path / "calm", tmp_path / "killed"
    for place in (calm, folder):
        write_pairs(place, JOBS)
    assert do(calm, 0) == 0
    facts = killed(folder, jobs=JOBS, kills=2, seconds=0.02)
    assert facts["code"] == 0
    assert facts["struck"]["run"] >= 1
    seen = verdict(folder, calm, JOBS)
    assert seen["equal"]
    assert (seen["done_lines"], seen["most_done_lines_of_one"]) == (JOBS, 1)
    assert seen["refinements_beyond_jobs"] <= 2 * 2  # a kill costs at most what was in hand
