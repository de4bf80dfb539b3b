"""Exports are written whatever files are called."""

import csv
import json

from edgewise.evaluation.exports import write_csv, write_json
from edgewise.evaluation.rows import FAST
from tests.evaluation.rows import row

NAME = "Bär \udcff"
"""A file's name as Python has it whose last byte is no UTF-8."""


def test_json_gives_a_name_that_is_no_utf8_back(tmp_path):
    write_json(tmp_path / "x.json", {"problems": [NAME]})
    assert "Bär" in (tmp_path / "x.json").read_text("utf-8")
    assert json.loads((tmp_path / "x.json").read_text("utf-8")) == {"problems": [NAME]}


def test_csv_shows_a_name_that_is_no_utf8_by_its_byte(tmp_path):
    write_csv(tmp_path / "x.csv", [row(NAME, 0.5, 0.6)], FAST)
    with (tmp_path / "x.csv").open(newline="", encoding="utf-8") as file:
        (line,) = csv.DictReader(file)
    assert line["id"] == r"Bär \udcff"
    assert line["after_iou"] == "0.6"
