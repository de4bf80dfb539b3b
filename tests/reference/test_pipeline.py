"""The pipeline covers every photo, skips what it says, and refuses what cannot work."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

torch = pytest.importorskip("torch", reason="the reference needs the extra edgewise[reference]")

from edgewise.errors import InputError, ModelError
from edgewise.reference.network import Answers
from edgewise.reference.pipeline import CascadeRefiner, PipelineSettings, crops, open_device


class Fake(torch.nn.Module):
    """Answers with its mask moved by a step, and remembers the sizes that it saw."""

    def __init__(self, shift=0.0):
        super().__init__()
        self.anchor = torch.nn.Parameter(torch.zeros(1))
        self.shift, self.seen = shift, []

    def forward(self, photo, mask, prior8=None):
        self.seen.append((tuple(mask.shape[2:]), prior8 is not None))
        logits = mask * 4 + (self.shift if prior8 is not None else 0)
        return Answers(None, logits, logits, logits, logits, logits)


def refiner(fake=None, **settings):
    return CascadeRefiner(network=fake or Fake(), settings=PipelineSettings(**settings))


def scene(height, width):
    mask = np.zeros((height, width), np.float32)
    mask[:, : width // 2] = 1
    return np.full((height, width, 3), 90, np.uint8), mask


@given(st.integers(1, 400), st.integers(1, 400), st.integers(66, 200))
def test_crops_cover_every_pixel_and_stay_inside(height, width, side):
    covered = np.zeros((1, 1, height, width), int)
    for crop in crops(height, width, PipelineSettings(side=side)):
        assert covered[crop.whole].shape[2] <= side
        assert covered[crop.whole][crop.own].shape == covered[crop.kept].shape
        covered[crop.kept] += 1
    assert covered.min() >= 1


def test_crops_advance_by_half_a_side_less_two_trims():
    starts = [c.whole[2].start for c in crops(100, 250, PipelineSettings(side=100))]
    assert starts == [0, 18, 36, 54, 72, 90, 108, 126, 144, 150]


def test_the_global_step_sees_a_long_side_of_l_and_is_padded_to_eights():
    fake = Fake()
    refiner(fake, side=100).refine(*scene(90, 200))
    assert fake.seen[0] == ((48, 104), False)  # 45x100; the side that fits grows by 8 too
    assert all(seen == ((96, 104), True) for seen in fake.seen[1:])


def test_the_paper_s_variant_does_not_enlarge_and_the_pip_s_does():
    for variant, size in (("paper", (40, 56)), ("pip", (80, 112))):
        fake = Fake()
        refiner(fake, side=112, variant=variant).refine(*scene(40, 56))
        assert fake.seen[0] == (size, False)


def test_crops_of_little_or_nearly_all_object_keep_the_global_answer():
    photo, mask = scene(100, 300)
    soft = refiner(Fake(shift=-9.0), side=100).refine(photo, mask)
    assert soft[:, 140:148].max() < 0.1  # looked at: the local answer says background
    assert soft[:, :20].min() == 1  # never: more than nine tenths are object
    assert soft[:, -20:].max() == 0


def test_the_global_step_alone_gives_the_photo_s_size():
    fake = Fake()
    for size in ((90, 200), (30, 50)):
        soft = refiner(fake, side=100, global_only=True).refine(*scene(*size))
        assert soft.shape == size
        assert np.array_equal(soft > 0.5, scene(*size)[1] > 0.5)
    assert not any(local for _, local in fake.seen)


def test_a_mask_of_less_than_a_pixel_is_empty_in_the_paper_s_variant():
    photo, mask = scene(40, 40)
    fake = Fake()
    assert not refiner(fake).refine(photo, mask * 0).any()
    assert not fake.seen


def test_the_pip_variant_cuts_the_mask_first():
    photo, mask = scene(40, 40)
    soft = refiner(variant="pip", side=66).refine(photo, mask * 0.6)
    assert np.array_equal(soft, refiner(variant="pip", side=66).refine(photo, mask))


@pytest.mark.parametrize("wrong", [{"variant": "new"}, {"side": 64}, {"side": 0}])
def test_settings_that_cannot_work_are_refused(wrong):
    with pytest.raises(InputError, match=r"variant 'new'; there is: paper, pip|expected at least"):
        PipelineSettings(**wrong)


def test_sizes_that_differ_are_refused():
    with pytest.raises(InputError, match="must agree"):
        refiner().refine(np.zeros((8, 8, 3), np.uint8), np.zeros((8, 9), np.float32))


def test_a_device_that_is_not_there_is_told():
    with pytest.raises(ModelError, match="device 'tpu' is not available"):
        open_device("tpu")
