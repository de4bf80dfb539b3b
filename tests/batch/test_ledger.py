"""A ledger remembers the last word about each output, and survives being cut off anywhere."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edgewise.batch.ledger import Entry, Ledger
from edgewise.errors import InputError, OutputError

OUTPUTS = st.sampled_from(["a.png", "b.png", "s3://x/c.png"])
EVENTS = st.lists(
    st.tuples(st.sampled_from(["begun", "done", "failed"]), OUTPUTS, st.sampled_from("12")),
    max_size=8,
)


def tell(ledger, event):
    status, output, inputs = event
    if status == "begun":
        ledger.begin(output, inputs, "5:7")
    elif status == "done":
        ledger.finish(output, inputs, seconds=0.5, attempts=1, warnings=["odd"])
    else:
        ledger.fail(output, inputs, error="why", attempts=3)


def remembered(events):
    """The last word about each output."""
    notes = {"begun": "5:7", "done": None, "failed": "why"}
    return {output: Entry(status, inputs, notes[status]) for status, output, inputs in events}


def known(ledger):
    found = {name: ledger.find(name) for name in ("a.png", "b.png", "s3://x/c.png")}
    return {name: entry for name, entry in found.items() if entry is not None}


@settings(max_examples=40)
@given(EVENTS, st.floats(0, 1), EVENTS)
def test_any_prefix_of_its_bytes_gives_what_was_told_by_then(tmp_path_factory, events, cut, more):
    path = tmp_path_factory.mktemp("ledger") / "ledger.jsonl"
    with Ledger(path) as ledger:
        for event in events:
            tell(ledger, event)
    data = path.read_bytes()
    data = data[: round(cut * len(data))]
    path.write_bytes(data)
    whole = events[: max(data.count(b"\n") - 1, 0)]
    with Ledger(path) as ledger:
        assert known(ledger) == remembered(whole)
        for event in more:
            tell(ledger, event)
    with Ledger(path) as ledger:
        assert known(ledger) == remembered([*whole, *more])


def test_without_a_file_it_remembers_this_run_alone():
    with Ledger(None) as ledger:
        tell(ledger, ("done", "a.png", "1"))
        ledger.sync()
        assert ledger.find("a.png") == Entry("done", "1")


def test_another_run_on_the_same_ledger_is_refused(tmp_path):
    path = tmp_path / "ledger.jsonl"
    with Ledger(path), pytest.raises(InputError, match="in use by another run"):
        Ledger(path)
    with Ledger(path):
        pass


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("photo,mask\n", "is no ledger"),
        ("photo,mask", "is no ledger"),
        ('{"ledgers": 1}', "is no ledger"),
        ('{"ledger": {"owner": "me"}}', "is no ledger"),
        pytest.param("[" * 200_000 + "\n", "is no ledger", id="deep"),
        ('{"header": 1}\n', "is no ledger"),
        ('{"ledger": 9}\n', "is of format 9; this version reads 1"),
        ('{"ledger": 1}\nx\n{"done": "a", "inputs": "1"}\n', "line 2 is damaged"),
        ('{"ledger": 1}\n{"done": "a"}\n', "line 2 is damaged"),
        ('{"ledger": 1}\n"done"\n', "line 2 is damaged"),
        ('{"ledger": 1}\n{"done": 1, "inputs": "1"}\n', "line 2 is damaged"),
        ('{"ledger": 1}\n{"begun": "a", "inputs": "1", "before": 1}\n', "line 2 is damaged"),
        ('{"ledger": 1}\n{"failed": "a", "inputs": "1", "error": {"a": 1}}\n', "line 2 is damaged"),
        pytest.param('{"ledger": 1}\n' + "[" * 200_000 + "\n", "line 2 is damaged", id="deep line"),
    ],
)
def test_another_file_is_refused_and_left_as_it_is(tmp_path, text, message):
    path = tmp_path / "ledger.jsonl"
    path.write_text(text)
    with pytest.raises(InputError, match=message):
        Ledger(path)
    assert path.read_text() == text


def test_names_that_are_no_utf8_are_kept(tmp_path):
    for _ in range(2):
        with Ledger(tmp_path / "ledger.jsonl") as ledger:
            ledger.fail("\udcff.png", "1", error="\ud800", attempts=1)
    with Ledger(tmp_path / "ledger.jsonl") as ledger:
        assert ledger.find("\udcff.png") == Entry("failed", "1", "\ud800")
        assert ledger.find("\ud800.png") is None


def test_a_ledger_that_cannot_be_made_is_named(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError, match="file: cannot be made"):
        Ledger(tmp_path / "file" / "ledger.jsonl")
