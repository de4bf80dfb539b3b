"""Colour tables are read whole or refused with the line that is wrong."""

import pytest

from edgewise.benchmarks.inputs.colours import ade20k_colours, read_colours
from edgewise.errors import InputError


def test_ade20ks_table_has_a_colour_for_void_and_each_class_and_one_is_shared():
    table = ade20k_colours()
    assert table.shared == {(140, 140, 140): (7, 49)}
    alone = [label for colour, label in table.labels.items() if colour not in table.shared]
    assert sorted([*alone, 7, 49]) == list(range(151))
    known = {
        (0, 0, 0): 0,
        (120, 120, 120): 1,
        (6, 230, 230): 3,
        (150, 5, 61): 13,
        (92, 0, 255): 150,
    }
    assert known.items() <= table.labels.items()


def test_a_head_blank_lines_and_spaces_are_allowed(tmp_path):
    path = tmp_path / "table.csv"
    path.write_text("\ufefflabel,r,g,b\r\n 3, 1,2,3\r\n\r\n4,9,9,9\r\n", encoding="utf-8")
    table = read_colours(path)
    assert table.labels == {(1, 2, 3): 3, (9, 9, 9): 4}
    assert table.shared == {}
    path.write_text("3,1,2,3\n4,9,9,9\n")
    assert read_colours(path).labels == table.labels


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "is empty; expected lines label,red,green,blue"),
        ("label,r,g,b\n", "is empty"),
        ("3,1,2,3\n4,9,9\n", "line 2 is '4,9,9'; expected lines"),
        ("3,1,2,3\nroad,9,9,9\n", "line 2 is 'road,9,9,9'; expected lines"),
        ("151,1,2,3\n", "labels are 0 to 150"),
        ("1,1,2,256\n", "colours 0 to 255"),
    ],
)
def test_what_is_no_table_is_told(tmp_path, text, words):
    (tmp_path / "t.csv").write_text(text)
    with pytest.raises(InputError, match=words):
        read_colours(tmp_path / "t.csv")


def test_a_file_that_cannot_be_read_is_told(tmp_path):
    with pytest.raises(InputError, match=r"none\.csv: cannot be read as a table of colours"):
        read_colours(tmp_path / "none.csv")
