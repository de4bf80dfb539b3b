"""Results files: what they hold, what goes on from them and what does not."""

import json
import math
from dataclasses import replace

import pytest

from edgewise.errors import InputError, OutputError
from edgewise.evaluation import Header, Results, evaluate, find_pairs, read_results
from edgewise.evaluation.rows import Row
from tests.evaluation.folders import Orange, disc, write, write_pair
from tests.evaluation.rows import row

HEADER = Header(engine={"engine": "orange", "sha256": "00"})


@pytest.fixture
def scored(tmp_path):
    """Pairs of a folder, and the rows of the first two of three."""
    folder = tmp_path / "data"
    for name in ("a", "b", "c"):
        write_pair(folder, name)
    pairs = find_pairs([folder]).pairs
    return pairs, list(evaluate(pairs[:2], Orange()))


@pytest.fixture
def written(tmp_path, scored):
    pairs, rows = scored
    path = tmp_path / "results.jsonl"
    with Results(path, HEADER, pairs) as file:
        for one in rows:
            file.add(one)
    return path


def test_a_file_is_read_as_it_was_written(written, scored):
    header, rows = read_results(written)
    assert header == HEADER
    assert rows == scored[1]


def test_each_row_is_on_disk_as_soon_as_it_is_added(tmp_path, scored):
    pairs, rows = scored
    path = tmp_path / "results.jsonl"
    with Results(path, HEADER, pairs) as file:
        file.add(rows[0])
        assert read_results(path)[1] == rows[:1]


def test_undefined_values_are_null_and_come_back(tmp_path):
    one = row("x", float("nan"), 0.5)
    values = json.loads(json.dumps(one.to_dict(), allow_nan=False))
    assert values["before"]["iou"] is None
    again = Row.from_dict(values)
    assert math.isnan(again.before.iou)
    assert again.after.iou == 0.5


def test_a_file_goes_on_where_it_ended(written, scored):
    pairs, rows = scored
    with Results(written, HEADER, pairs) as file:
        assert list(file.rows) == [one.key for one in rows]
        file.add(replace(rows[0], id="c"))
    assert [one.id for one in read_results(written)[1]] == ["a", "b", "c"]


def test_a_line_that_was_cut_off_is_dropped_and_scored_again(written, scored):
    pairs, rows = scored
    whole = written.read_bytes()
    written.write_bytes(whole[:-20])
    with Results(written, HEADER, pairs) as file:
        assert list(file.rows) == [rows[0].key]
        file.add(rows[1])
    assert written.read_bytes() == whole


def test_other_libraries_and_workers_may_go_on(written, scored):
    header = replace(HEADER, run={"workers": 7}, libraries={"numpy": "9"})
    with Results(written, header, scored[0]) as file:
        assert len(file.rows) == 2


@pytest.mark.parametrize(
    ("header", "words"),
    [
        (replace(HEADER, fast=True), "fast is False, not True"),
        (replace(HEADER, hce=True), "hce is False, not True"),
        (replace(HEADER, edgewise="9.9"), r"edgewise is .*, not 9\.9"),
        (replace(HEADER, engine={"engine": "orange", "sha256": "11"}), "sha256 is 00, not 11"),
        (replace(HEADER, engine=None), "engine is orange, not None"),
    ],
)
def test_a_file_of_other_settings_is_refused(written, scored, header, words):
    with pytest.raises(InputError, match=f"of another run: its .*{words}"):
        Results(written, header, scored[0])


@pytest.mark.parametrize("part", ["gt", "seg", "im"])
def test_a_file_of_other_inputs_is_refused(written, scored, part):
    pairs, _ = scored
    folder = pairs[0].truth.parent
    write(folder / f"b_{part}.png", disc(7))
    with pytest.raises(InputError, match=f"b_{part}.png has changed"):
        Results(written, HEADER, pairs)


def test_a_file_of_pairs_that_are_not_there_is_refused(written, scored):
    with pytest.raises(InputError, match="another run: it holds data b"):
        Results(written, HEADER, [scored[0][0]])


def test_a_pair_for_which_a_mask_was_given_since_is_refused(written, scored):
    pairs, _ = scored
    folder = pairs[0].truth.parent
    write(folder / "a_mask.png", disc(7))
    with pytest.raises(InputError, match="data a is of other files now"):
        Results(written, HEADER, find_pairs([folder]).pairs)


def test_a_file_that_another_run_is_writing_is_refused(written, scored):
    with (
        Results(written, HEADER, scored[0]),
        pytest.raises(InputError, match="in use by another run"),
    ):
        Results(written, HEADER, scored[0])
    with Results(written, HEADER, scored[0]) as file:
        assert len(file.rows) == 2


def test_a_damaged_line_is_named(written, scored):
    lines = written.read_text().splitlines(keepends=True)
    written.write_text("".join([lines[0], "{]\n", lines[2]]))
    with pytest.raises(InputError, match="line 2 is damaged"):
        Results(written, HEADER, scored[0])


def test_files_put_together_with_two_headers_or_one_pair_twice_are_refused(written, scored):
    lines = written.read_bytes().splitlines(keepends=True)
    written.write_bytes(b"".join([*lines, lines[0]]))
    with pytest.raises(InputError, match="line 4 is damaged: it is another header"):
        read_results(written)
    written.write_bytes(b"".join([*lines, lines[2]]))
    with pytest.raises(InputError, match="line 4 holds data b a second time"):
        Results(written, HEADER, scored[0])


@pytest.mark.parametrize("text", ["hello\n", "{}\n", '{"header": {"colour": 1}}\n', "no newline"])
def test_another_file_is_refused_and_left_alone(tmp_path, text):
    path = tmp_path / "results.jsonl"
    path.write_text(text)
    with pytest.raises(InputError, match="no results file"):
        Results(path, HEADER, [])
    assert path.read_text() == text


@pytest.mark.parametrize(
    ("header", "words"),
    [
        ({"engine": "abc"}, r"'engine' is 'abc'; expected dict | None"),
        ({"engine": {"sha256": 3}}, "'sha256' is 3; expected str"),
        ({"fast": "no"}, "'fast' is 'no'; expected bool"),
        ({"libraries": None}, "'libraries' is None; expected dict"),
    ],
)
def test_a_damaged_header_is_told(tmp_path, header, words):
    path = tmp_path / "results.jsonl"
    path.write_text(json.dumps({"header": header}) + "\n")
    with pytest.raises(InputError, match=f"results.jsonl: its header is damaged: {words}"):
        read_results(path)


@pytest.mark.parametrize(
    ("part", "key", "value", "words"),
    [
        (None, "set", ["one"], r"'set' is \['one'\]; expected str"),
        (None, "width", "40", "'width' is '40'; expected int"),
        (None, "seconds", [], "'seconds' is "),
        (None, "sha256", None, "'sha256' is None; expected dict"),
        (None, "after", [1], r"'after' is \[1\]; expected dict"),
        (None, "before", 3, "'before' is 3; expected dict"),
        (None, "rings", None, "'rings' is None; expected dict"),
        ("sha256", "truth", None, "'truth' is None; expected str"),
        ("after", "iou", "x", "'iou' is 'x'"),
        ("before", "mba", {}, "'mba' is {}"),
        ("rings", "pixels", 3, "'pixels' is 3; expected list"),
        ("rings", "wrong_after", ["a"] * 7, "'wrong_after' is .*; expected 7 counts"),
        ("rings", "wrong_before", [1], r"'wrong_before' is \[1\]; expected 7 counts"),
    ],
)
def test_a_row_with_a_value_of_another_type_is_told(part, key, value, words):
    values = row("x", 0.5, 0.6).to_dict()
    (values if part is None else values[part])[key] = value
    with pytest.raises(InputError, match=words):
        Row.from_dict(values)


def test_what_is_missing_of_a_row_is_told():
    values = row("x", 0.5, 0.6).to_dict()
    with pytest.raises(InputError, match="'truth' is missing"):
        Row.from_dict({**values, "sha256": {}})
    with pytest.raises(InputError, match="'before' is missing"):
        Row.from_dict({key: value for key, value in values.items() if key != "before"})
    with pytest.raises(InputError, match="3 is no table of set, id, "):
        Row.from_dict(3)


def test_a_newer_format_is_refused(tmp_path):
    path = tmp_path / "results.jsonl"
    path.write_text('{"header": {"format": 99}}\n')
    with pytest.raises(InputError, match="format 99"):
        read_results(path)


def test_a_folder_in_the_files_place_is_refused(tmp_path):
    with pytest.raises((InputError, OutputError), match="cannot be"):
        Results(tmp_path, HEADER, [])
