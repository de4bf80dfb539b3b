"""Splitting as published: against a naive copy of the rule on whole pictures."""

import cv2
import numpy as np
import pytest
from hypothesis import given, settings

from edgewise.errors import InputError
from edgewise.scenes.merge import Part, merge, part_box
from edgewise.scenes.split import part_of, split

from .scene_maps import painted, scenes


def naive_disc():
    return np.array(
        [[1 if y * y + x * x <= 25 else 0 for x in range(-5, 5)] for y in range(-5, 5)], np.uint8
    )


def naive_split(labels):
    """The rule of the published script word for word, without windows or crops."""
    found = {}
    for label in np.unique(labels):
        inside = (labels == label).astype(np.uint8)
        if label == 0 or inside.sum() <= 1024:
            continue
        _, numbers = cv2.connectedComponents(cv2.dilate(inside, naive_disc()), connectivity=8)
        for number in range(1, numbers.max() + 1):
            closed = cv2.erode((numbers == number).astype(np.uint8), naive_disc())
            if closed.sum() > 1024:
                found[int(label), number] = (closed > 0, (closed & inside) > 0)
    return found


def placed(inside, box, shape):
    mask = np.zeros(shape, bool)
    mask[box.slices] = inside
    return mask


@settings(max_examples=25, deadline=None)
@given(scenes)
def test_pieces_are_those_of_the_published_script(labels):
    pieces = list(split(labels))
    expected = naive_split(labels)
    assert [(piece.label, piece.number) for piece in pieces] == list(expected)
    for piece, (closed, mask) in zip(pieces, expected.values(), strict=True):
        np.testing.assert_array_equal(placed(piece.closed, piece.box, labels.shape), closed)
        np.testing.assert_array_equal(placed(piece.mask, piece.box, labels.shape), mask)


def test_numbers_of_far_pieces_are_those_of_the_whole_picture():
    labels = np.zeros((300, 301), np.int32)
    for top, left in ((7, 200), (9, 33), (150, 101), (201, 3)):
        labels[top : top + 41, left : left + 43] = 4
    labels[101:105, 51:55] = 4
    assert [piece.number for piece in split(labels)] == [
        number for _, number in naive_split(labels)
    ]
    assert len(naive_split(labels)) == 4


@settings(max_examples=20, deadline=None)
@given(scenes)
def test_merging_unrefined_pieces_gives_the_scene_back(labels):
    parts = []
    for piece in split(labels):
        whole = placed(piece.mask, piece.box, labels.shape)
        box = part_box(whole)
        parts.append(Part(piece.label, box, whole[box.slices].astype(np.float32)))
    np.testing.assert_array_equal(merge(labels, parts), labels)


def test_the_truth_of_a_piece_is_its_label_within_its_closed_shape():
    labels = painted(3)
    truth = np.roll(labels, 2, 1)
    for piece in split(labels):
        closed = placed(piece.closed, piece.box, labels.shape)
        own = placed(piece.truth(truth), piece.box, labels.shape)
        np.testing.assert_array_equal(own, closed & (truth == piece.label))


def test_void_is_no_label_unless_there_is_none():
    labels = np.zeros((60, 60), np.int32)
    assert not list(split(labels))
    assert [piece.label for piece in split(labels, void=None)] == [0]


def test_small_labels_and_pieces_are_left_out():
    labels = np.zeros((80, 200), np.int32)
    labels[:32, :32] = 1
    labels[10:50, 50:90] = 2
    labels[60:70, 150:160] = 2
    assert [(piece.label, piece.number) for piece in split(labels)] == [(2, 1)]


def test_a_name_says_image_label_and_component():
    assert part_of("ADE_val_00000001_17.2") == ("ADE_val_00000001", 17, 2)
    assert part_of("a_-1.2") == ("a", -1, 2)  # of a map in a NumPy file
    with pytest.raises(InputError, match=r"a_17\.2"):
        part_of("photo")
