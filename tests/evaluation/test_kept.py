"""Kept masks: found again by their pair, and scored as what was kept."""

import numpy as np
import pytest

from edgewise.errors import OutputError
from edgewise.evaluation import find_pairs
from edgewise.evaluation.kept import keep_mask, kept_path, with_kept
from edgewise.masks import read_mask
from edgewise.metrics import binarise
from tests.evaluation.folders import SIZE, disc, write_pair


@pytest.fixture
def pairs(tmp_path):
    """Two pairs to refine, of one photo, and one with a refined mask."""
    folder = tmp_path / "data"
    write_pair(folder / "deep" / "one", "a", coarse={"": disc(9), "net": disc(8)})
    write_pair(folder / "two", "b", refined=disc(11))
    return find_pairs([folder]).pairs


def test_each_pair_has_a_file_of_its_own_in_the_published_layout(pairs, tmp_path):
    names = [kept_path(tmp_path, pair).relative_to(tmp_path).as_posix() for pair in pairs]
    assert names == ["deep/one/a_mask.png", "deep/one/a_mask_net.png", "two/b_mask.png"]


def test_a_soft_mask_is_seen_by_scores_as_it_was(pairs, tmp_path):
    soft = np.linspace(0, 1, SIZE[0] * SIZE[1], dtype=np.float32).reshape(SIZE)
    assert keep_mask(pairs[0], soft, folder=tmp_path) is soft
    kept = read_mask(kept_path(tmp_path, pairs[0]), soft=True)
    np.testing.assert_array_equal(binarise(kept), binarise(soft))
    np.testing.assert_allclose(kept, soft, atol=0.5 / 255 + 1e-6)


def test_kept_masks_take_the_place_of_refining_and_given_ones_stay(pairs, tmp_path):
    keep_mask(pairs[1], disc(3), folder=tmp_path)
    first, second, third = with_kept(pairs, tmp_path)
    assert first == pairs[0]
    assert second.refined == kept_path(tmp_path, pairs[1])
    assert third == pairs[2]


def test_a_folder_that_cannot_be_made_is_told(pairs, tmp_path):
    (tmp_path / "deep").write_text("in the way")
    with pytest.raises(OutputError, match="cannot be made"):
        keep_mask(pairs[0], disc(3), folder=tmp_path)
