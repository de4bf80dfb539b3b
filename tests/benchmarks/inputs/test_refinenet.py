"""RefineNet's MATLAB files give their label map, upright."""

import h5py
import numpy as np
import pytest
from scipy.io import savemat

from edgewise.benchmarks.inputs.refinenet import read_mat
from edgewise.errors import InputError
from tests.benchmarks.inputs.native import write_mat

LABELS = np.array([[1, 2, 3], [4, 5, 150]], dtype=np.uint8)


@pytest.mark.parametrize("kind", [np.uint8, np.uint16, np.float64])
def test_version_7_3_is_read_transposed(tmp_path, kind):
    labels = read_mat(write_mat(tmp_path / "a.mat", LABELS.astype(kind)))
    assert labels.dtype == np.int32
    np.testing.assert_array_equal(labels, LABELS)


@pytest.mark.parametrize("compressed", [False, True])
def test_version_5_is_read_as_it_is(tmp_path, compressed):
    path = tmp_path / "a.mat"
    savemat(path, {"data_obj": {"mask_data": LABELS, "more": 1}}, do_compression=compressed)
    np.testing.assert_array_equal(read_mat(path), LABELS)


def test_other_contents_are_told(tmp_path):
    with pytest.raises(InputError, match=r"no matrix data_obj\.mask_data, but other"):
        read_mat(write_mat(tmp_path / "a.mat", LABELS, name="other"))
    savemat(tmp_path / "b.mat", {"score": LABELS})
    with pytest.raises(InputError, match=r"no matrix data_obj\.mask_data, but score"):
        read_mat(tmp_path / "b.mat")


@pytest.mark.parametrize("data", [b"", b"text", b"MATLAB 5.0 MAT-file" + bytes(300)])
def test_damaged_files_are_told(tmp_path, data):
    (tmp_path / "a.mat").write_bytes(data)
    with pytest.raises(InputError, match=r"a\.mat: "):
        read_mat(tmp_path / "a.mat")


def test_a_cut_off_file_is_told(tmp_path):
    path = write_mat(tmp_path / "a.mat", np.zeros((60, 80), np.uint8))
    path.write_bytes(path.read_bytes()[:-3000])
    with pytest.raises(InputError, match="damaged or cut off"):
        read_mat(path)


def test_a_missing_file_is_told(tmp_path):
    with pytest.raises(InputError, match="cannot be read"):
        read_mat(tmp_path / "none.mat")


@pytest.mark.parametrize("labels", [np.zeros(4), np.zeros((2, 2, 2)), np.array([[b"x"]])])
def test_what_is_no_matrix_of_labels_is_told(tmp_path, labels):
    with h5py.File(tmp_path / "a.mat", "w") as file:
        file["data_obj/mask_data"] = labels
    with pytest.raises(InputError, match="expected a matrix of labels"):
        read_mat(tmp_path / "a.mat")
