"""FCN-8s's outputs are read as Caffe leaves them and as pictures."""

import numpy as np
import pytest

from edgewise.benchmarks.inputs.fcn8s import read_caffe
from edgewise.errors import InputError
from tests.benchmarks.inputs.native import write_grey

LABELS = np.array([[0, 3, 20], [255, 1, 0]], dtype=np.int64)
SCORED = np.where(LABELS == 255, 5, LABELS)


def scores():
    """Scores 21xHxW whose highest is at `SCORED`."""
    values = np.random.default_rng(0).normal(size=(21, 2, 3)).astype(np.float32)
    rows, columns = np.indices(SCORED.shape)
    values[SCORED, rows, columns] = 9
    return values


@pytest.mark.parametrize(
    ("array", "expected"),
    [
        (LABELS, LABELS),
        (LABELS.astype(np.float32)[None], LABELS),
        (LABELS.astype(np.uint8)[None, None], LABELS),
        (scores(), SCORED),
        (scores()[None], SCORED),
    ],
)
def test_labels_and_scores_are_read_from_arrays(tmp_path, array, expected):
    np.save(tmp_path / "a.npy", array)
    labels = read_caffe(tmp_path / "a.npy")
    assert labels.dtype == np.int32
    np.testing.assert_array_equal(labels, expected)


def test_pictures_are_read_as_of_the_others(tmp_path):
    np.testing.assert_array_equal(read_caffe(write_grey(tmp_path / "a.png", LABELS)), LABELS)


@pytest.mark.parametrize("shape", [(3,), (20, 4, 4), (2, 21, 4, 4), (0, 4)])
def test_other_shapes_are_told(tmp_path, shape):
    np.save(tmp_path / "a.npy", np.zeros(shape))
    with pytest.raises(InputError, match="expected labels height x width"):
        read_caffe(tmp_path / "a.npy")


def test_pickled_objects_are_not_opened(tmp_path):
    np.save(tmp_path / "a.npy", np.array([{"a": 1}], dtype=object), allow_pickle=True)
    with pytest.raises(InputError, match="is no array of NumPy"):
        read_caffe(tmp_path / "a.npy")


def test_damaged_arrays_are_told(tmp_path):
    (tmp_path / "a.npy").write_bytes(b"\x93NUMPY")
    with pytest.raises(InputError, match="damaged"):
        read_caffe(tmp_path / "a.npy")


def test_an_archive_of_arrays_is_none(tmp_path):
    with (tmp_path / "a.npy").open("wb") as file:
        np.savez(file, LABELS)
    with pytest.raises(InputError, match="is no array of NumPy"):
        read_caffe(tmp_path / "a.npy")


def test_labels_of_other_classes_are_told(tmp_path):
    np.save(tmp_path / "a.npy", LABELS + 1)
    with pytest.raises(InputError, match=r"expected 0\.\.20, 255"):
        read_caffe(tmp_path / "a.npy")
