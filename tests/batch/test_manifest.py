"""Manifests: the same jobs from every format; what is wrong is named by row and column."""

import json
import os

import pytest

from edgewise.batch import Job, Manifest, Options
from edgewise.errors import InputError

ROWS = [
    {"photo": "a.jpg", "mask": "m/a.png", "output": "o/a.png", "soft": True},
    {"photo": "s3://b/c.jpg", "mask": "/m/c.png", "output": "o/c.tif", "overview_only": True},
]


def csv_of(rows):
    columns = list({column: 0 for row in rows for column in row})
    cells = [[str(row.get(column, "")) for column in columns] for row in rows]
    return "\n".join(",".join(line) for line in [columns, *cells]) + "\n"


def write(path, rows):
    if path.suffix == ".csv":
        path.write_text(csv_of(rows))
    elif path.suffix == ".jsonl":
        path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    else:
        pyarrow = pytest.importorskip("pyarrow", reason="Parquet takes the extra batch")
        from pyarrow import parquet

        columns = list({column: 0 for row in rows for column in row})
        table = {column: [row.get(column) for row in rows] for column in columns}
        parquet.write_table(pyarrow.table(table), path)
    return str(path)


@pytest.mark.parametrize("suffix", [".csv", ".jsonl", ".parquet"])
def test_rows_are_jobs_relative_to_the_table(tmp_path, suffix):
    location = write(tmp_path / f"jobs{suffix}", ROWS)
    jobs = list(Manifest(location))
    first = 2 if suffix == ".csv" else 1
    assert jobs == [
        Job(
            os.path.join(tmp_path, "a.jpg"),
            os.path.join(tmp_path, "m/a.png"),
            os.path.join(tmp_path, "o/a.png"),
            Options(soft=True),
            f"{location}: row {first}",
        ),
        Job(
            "s3://b/c.jpg",
            "/m/c.png",
            os.path.join(tmp_path, "o/c.tif"),
            Options(overview_only=True),
            f"{location}: row {first + 1}",
        ),
    ]
    assert list(Manifest(location)) == jobs  # it can be read again


def test_rows_without_output_go_to_the_folder_given(tmp_path):
    location = write(tmp_path / "jobs.csv", [{"photo": "x/a.jpg", "mask": "a.png"}])
    (job,) = Manifest(location, "out", Options(soft=True))
    assert job.output == "out/a.png"
    assert job.options == Options(soft=True)


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("j.csv", "photo,output\na,b.png\n", "row 1: there is no column mask"),
        ("j.csv", "photo,mask,mask\n", "row 1: there are two columns mask"),
        ("j.csv", "", "row 1: there is no column photo"),
        ("j.csv", "photo,mask,output\na,b,c.png\na,,c.png\n", "row 3, column mask: is empty"),
        ("j.csv", "photo,mask,output\na,b\n", "row 2: has 2 cells, not 3"),
        ("j.csv", "photo,mask,output\na,b,c.jpg\n", "row 2, column output '.*c.jpg': a mask is"),
        ("j.csv", "photo,mask\na,b\n", "row 2, column output: is empty"),
        ("j.csv", "photo,mask,output,sof\na,b,c.png,1\n", "row 1, column sof: not known"),
        (
            "j.csv",
            "photo,mask,output,soft\na,b,c.png,maybe\n",
            "row 2, column soft: is 'maybe'; give true or false",
        ),
        ("j.csv", 'photo,mask,output\n"a,b,c.png\n', "row 2: is damaged"),
        ("j.jsonl", '{"photo": "a"}\n', "row 1, column mask: is empty"),
        ("j.jsonl", '\n{"photo": "a", "sof": 1}\n', "row 2, column sof: not known"),
        ("j.jsonl", '\n{"photo": 3, "mask": "b"}\n', "row 2, column photo: is 3"),
        ("j.jsonl", "{'a'}\n", "row 1: is no JSON"),
        ("j.jsonl", "[1]\n", "row 1: is no object"),
        pytest.param("j.jsonl", "[" * 200_000 + "\n", "row 1: is no JSON", id="deep"),
        (
            "j.jsonl",
            r'{"photo": "a\u0000b/s.jpg", "mask": "b", "output": "c.png"}',
            r"row 1, column photo '.*/a\\x00b/s.jpg': no file can be called so",
        ),
        (
            "j.jsonl",
            r'{"photo": "a", "mask": "b", "output": "\ud83d.png"}',
            r"row 1, column output '.*/\\ud83d.png': no file can be called so",
        ),
        ("j.parquet", "PAR?", "is no Parquet file"),
        ("j.txt", "", "expected one of .csv"),
    ],
)
def test_what_is_wrong_is_named_by_row_and_column(tmp_path, name, text, message):
    if name.endswith("parquet"):
        pytest.importorskip("pyarrow", reason="Parquet takes the extra batch")
    path = tmp_path / name
    path.write_text(text)
    with pytest.raises(InputError, match=message) as caught:
        list(Manifest(str(path)))
    assert str(caught.value).startswith(str(path))


def test_a_table_that_is_no_text_or_is_missing_is_named(tmp_path):
    path = tmp_path / "j.csv"
    path.write_bytes(b"photo,mask,output\n\xff,b,c\n")
    with pytest.raises(InputError, match="is no UTF-8 text"):
        list(Manifest(str(path)))
    with pytest.raises(InputError, match="No such file"):
        list(Manifest(str(tmp_path / "none.csv")))


def test_a_column_of_a_parquet_file_that_is_not_known_is_named_whatever_it_holds(tmp_path):
    pyarrow = pytest.importorskip("pyarrow", reason="Parquet takes the extra batch")
    from pyarrow import parquet

    path = tmp_path / "jobs.parquet"
    times = pyarrow.array([1], pyarrow.timestamp("ns"))  # such a value takes pandas
    parquet.write_table(pyarrow.table({"photo": ["a"], "mask": ["b"], "taken": times}), path)
    with pytest.raises(InputError, match="row 1, column taken: not known"):
        list(Manifest(str(path)))


def test_a_damaged_page_of_a_parquet_file_is_told_in_one_line(tmp_path):
    path = tmp_path / "jobs.parquet"
    write(path, ROWS)
    data = bytearray(path.read_bytes())
    data[4:24] = b"\xff" * 20  # the header of the first page
    path.write_bytes(data)
    with pytest.raises(InputError) as caught:
        list(Manifest(str(path)))
    assert "\n" not in str(caught.value)


def test_a_photo_whose_url_is_none_is_a_job_that_will_fail(tmp_path):
    location = write(tmp_path / "jobs.csv", [{"photo": "http://[bad/x.jpg?y", "mask": "a.png"}])
    (job,) = Manifest(location, "out")
    assert job.output == "out/x.png"
