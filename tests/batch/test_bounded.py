"""Photos that do not fit into a worker's bound of memory are read by region, with one result."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from edgewise import large
from edgewise.batch import Job, Options, run
from edgewise.batch.bounded import Bounded, BoundedRefiner
from edgewise.batch.worker import refine_job, work
from edgewise.engines import NetworkEngine
from edgewise.masks import read_mask
from edgewise.refiner import Refiner
from tests.batch.fakes import Here
from tests.fakes import ColourEngine, disc, red_on_blue

TRUTH = disc((90, 120), (45, 60), 28)
LEAST = large.BASE  # in which not one pixel fits


@pytest.fixture
def job(tmp_path):
    Image.fromarray(red_on_blue(TRUTH)).save(tmp_path / "photo.png")
    Image.fromarray(np.roll(TRUTH, 3, 1)).save(tmp_path / "mask.png")
    files = (str(tmp_path / name) for name in ("photo.png", "mask.png", "out.png"))
    return Job(*files, Options(soft=True))


class Fixed:
    """Opens what it is given."""

    def __init__(self, refiner):
        self.refiner = refiner

    def open(self):
        return self.refiner

    def describe(self):
        return {}

    def limits(self):
        return Bounded(NetworkEngine(), self.refiner.memory).limits()


def test_a_photo_over_the_bound_is_read_by_region_and_gives_the_same(job, monkeypatch):
    pytest.importorskip("pyvips")
    whole = BoundedRefiner(Refiner(ColourEngine()), 10**9)
    refine_job(whole, job)
    expected = read_mask(job.output, soft=True)
    monkeypatch.delattr(Refiner, "refine")  # which would hold it whole
    refine_job(BoundedRefiner(Refiner(ColourEngine()), LEAST), job)
    np.testing.assert_allclose(read_mask(job.output, soft=True), expected, atol=1.01 / 255)


def test_a_mask_of_any_form_is_taken_unless_a_bound_is_given(job, monkeypatch):
    pytest.importorskip("pyvips")
    monkeypatch.setattr(large, "DEFAULT_MEMORY", LEAST)
    Image.open(job.mask).convert("RGB").save(job.mask)
    refiner = Refiner(ColourEngine())
    assert work(Fixed(BoundedRefiner(refiner, None)), job).verdict == "done"
    bounded = work(Fixed(BoundedRefiner(refiner, LEAST)), job)
    assert bounded.verdict == "hopeless"
    assert "--memory" in str(bounded.error)


def test_a_large_photo_whose_mask_has_no_suffix_for_it_fails_alone(job):
    other = Job(job.photo, job.mask, job.output.replace(".png", ".webp"))
    report = work(Fixed(BoundedRefiner(Refiner(ColourEngine()), LEAST)), other)
    assert report.verdict == "hopeless"
    assert ".webp: a large mask is written as one of .png" in str(report.error)
    assert not Path(other.output).exists()


def test_what_failed_of_the_bound_is_tried_again_under_another(job, tmp_path):
    opener = Fixed(BoundedRefiner(Refiner(ColourEngine()), LEAST))
    job = replace(job, output=job.output.replace(".png", ".webp"))
    more = Fixed(BoundedRefiner(Refiner(ColourEngine()), 10**9))

    def outcome(opener):
        (result,) = run([job], engine=Here(), opener=opener, ledger=tmp_path / "ledger.jsonl")
        return result.status, result.attempts

    assert outcome(opener) == ("failed", 1)
    assert outcome(opener) == ("failed", 0)
    assert outcome(more) == ("done", 1)
    assert outcome(opener) == ("current", 0)


def test_a_bound_does_not_make_results_that_are_there_outdated():
    network = NetworkEngine()
    assert Bounded(network).limits() == {}
    assert Bounded(network, LEAST).describe() == Bounded(network).describe() == network.describe()
