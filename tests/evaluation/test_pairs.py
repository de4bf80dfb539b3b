"""Which files of a folder make pairs, and what is said of the others."""

import pytest

from edgewise.errors import InputError
from edgewise.evaluation import find_pairs
from tests.evaluation.folders import disc, write, write_pair


def keys(found):
    return [pair.key for pair in found.pairs]


def test_each_coarse_mask_of_a_photo_is_a_pair(tmp_path):
    write_pair(tmp_path, "cat", coarse={"": disc(9), "deeplab": disc(8), "u_2": disc(7)})
    found = find_pairs([tmp_path])
    assert [pair.source for pair in found.pairs] == ["", "deeplab", "u_2"]
    assert {pair.photo.name for pair in found.pairs} == {"cat_im.png"}
    assert found.pairs[1].coarse.name == "cat_seg_deeplab.png"
    assert found.problems == []


def test_a_given_refined_mask_is_scored_and_not_made(tmp_path):
    write_pair(tmp_path, "cat", refined=disc(11))
    (pair,) = find_pairs([tmp_path]).pairs
    assert pair.refined.name == "cat_mask.png"
    assert pair.coarse.name == "cat_seg.png"


def test_refine_all_makes_masks_where_there_is_a_photo(tmp_path):
    write_pair(tmp_path, "cat", refined=disc(11))
    write_pair(tmp_path, "dog", refined=disc(11), photo=False)
    cat, dog = find_pairs([tmp_path], refine_all=True).pairs
    assert cat.refined is None
    assert dog.refined.name == "dog_mask.png"


def test_a_refined_mask_needs_no_coarse_one(tmp_path):
    write_pair(tmp_path, "cat", refined=disc(11), coarse=False, photo=False)
    (pair,) = find_pairs([tmp_path]).pairs
    assert pair.coarse is None


def test_refined_masks_go_with_the_coarse_ones_of_their_source(tmp_path):
    coarse, refined = {"a": disc(8), "b": disc(7)}, {"b": disc(11), "a": disc(10)}
    write_pair(tmp_path, "cat", coarse=coarse, refined=refined, photo=False)
    found = find_pairs([tmp_path])
    assert [(pair.coarse.name, pair.refined.name) for pair in found.pairs] == [
        ("cat_seg_a.png", "cat_mask_a.png"),
        ("cat_seg_b.png", "cat_mask_b.png"),
    ]


def test_a_refined_mask_of_two_coarse_ones_is_unclear(tmp_path):
    write_pair(tmp_path, "cat", coarse={"a": disc(8), "b": disc(7)}, refined=disc(11))
    write_pair(tmp_path, "dog")
    found = find_pairs([tmp_path])
    assert keys(found) == [(tmp_path.name, "dog", "")]
    assert "unclear" in found.problems[0]
    assert "cat_seg_a.png" in found.problems[0]


def test_sets_are_named_by_their_path_below_the_folder(tmp_path):
    write_pair(tmp_path, "top")
    write_pair(tmp_path / "one" / "deep", "x")
    write_pair(tmp_path / ".hidden", "y")
    assert keys(find_pairs([tmp_path])) == [
        ("one/deep", "x", ""),
        (tmp_path.name, "top", ""),
    ]


def test_masks_kept_beside_a_results_file_are_no_masks_to_score(tmp_path):
    """`evaluate . --results run.jsonl` keeps them in the folder that it searches."""
    write_pair(tmp_path / "one", "cat")
    write(tmp_path / "run.jsonl.masks" / "one" / "cat_mask.png", disc(9))
    assert len(find_pairs([tmp_path]).problems) == 1
    (tmp_path / "run.jsonl").touch()
    found = find_pairs([tmp_path])
    assert (keys(found), found.problems) == ([("one", "cat", "")], [])


def test_a_link_to_a_folder_above_ends(tmp_path):
    write_pair(tmp_path / "one", "x")
    (tmp_path / "one" / "up").symlink_to(tmp_path)
    assert keys(find_pairs([tmp_path])) == [("one", "x", "")]


def test_two_folders_with_a_set_of_one_name_are_refused(tmp_path):
    write_pair(tmp_path / "a" / "big", "x")
    write_pair(tmp_path / "b" / "big", "x")
    with pytest.raises(InputError, match="would both be the set 'big'"):
        find_pairs([tmp_path / "a", tmp_path / "b"])
    assert len(find_pairs([tmp_path]).pairs) == 2


@pytest.mark.parametrize(
    ("name", "id_", "source"),
    [
        ("a_seg_b", "a_seg_b", ""),  # the longest id that has a truth
        ("scene_12.0", "scene_12.0", ""),
        ("2007_000033_01", "2007_000033_01", ""),
    ],
)
def test_ids_may_hold_dots_and_the_words_of_parts(tmp_path, name, id_, source):
    write_pair(tmp_path, name)
    write_pair(tmp_path, "a")
    assert (tmp_path.name, id_, source) in keys(find_pairs([tmp_path]))
    assert len(find_pairs([tmp_path]).pairs) == 2


@pytest.mark.parametrize(
    ("missing", "words"),
    [
        ("gt", "no truth"),
        ("seg", "no mask to score"),
        ("im", "neither a photo"),
    ],
)
def test_a_missing_counterpart_is_a_problem_and_no_pair(tmp_path, missing, words):
    write_pair(tmp_path, "good")
    write_pair(tmp_path, "cat")
    (tmp_path / f"cat_{missing}.png").unlink()
    found = find_pairs([tmp_path])
    assert keys(found) == [(tmp_path.name, "good", "")]
    assert len(found.problems) == 1
    assert words in found.problems[0]
    assert str(tmp_path / "cat") in found.problems[0]


def test_two_photos_of_one_id_are_a_problem(tmp_path):
    write_pair(tmp_path, "good")
    write_pair(tmp_path, "cat")
    write(tmp_path / "cat_im.jpg", disc(3))
    found = find_pairs([tmp_path])
    assert "two photos: cat_im.jpg and cat_im.png" in found.problems[0]


@pytest.mark.parametrize(
    ("twin", "words"),
    [
        ("cat_seg.tif", "two coarse masks: cat_seg.png and cat_seg.tif"),
        ("cat_seg1.png", "two coarse masks: cat_seg1.png and cat_seg_1.png"),
        ("cat_mask.webp", "two refined masks: cat_mask.png and cat_mask.webp"),
        ("cat_gt.tif", "two truths: cat_gt.png and cat_gt.tif"),
    ],
)
def test_two_files_of_one_part_are_a_problem(tmp_path, twin, words):
    write_pair(tmp_path, "good")
    write_pair(tmp_path, "cat", coarse={"": disc(9), "1": disc(8)}, refined=disc(11))
    write(tmp_path / twin, disc(3))
    found = find_pairs([tmp_path])
    assert keys(found) == [(tmp_path.name, "good", "")]
    assert found.problems == [f"{tmp_path / 'cat'}: {words}"]


def test_other_files_are_left_alone(tmp_path):
    write_pair(tmp_path, "cat")
    write(tmp_path / "overview.png", disc(3))
    write(tmp_path / "cat_segmented.png", disc(3))
    (tmp_path / "cat_seg_notes.txt").write_text("soft")
    found = find_pairs([tmp_path])
    assert keys(found) == [(tmp_path.name, "cat", "")]
    assert found.problems == []


def test_an_empty_folder_is_refused_with_the_layout(tmp_path):
    with pytest.raises(InputError, match=r"no pairs in .*<id>_gt\.png"):
        find_pairs([tmp_path])


def test_what_is_no_folder_is_refused(tmp_path):
    with pytest.raises(InputError, match="is not a folder"):
        find_pairs([tmp_path / "none"])
