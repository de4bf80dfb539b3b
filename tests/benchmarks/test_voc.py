"""PASCAL VOC's classes and colours are those of its development kit."""

import pytest

from edgewise.benchmarks import voc
from edgewise.errors import InputError


@pytest.mark.parametrize(
    ("label", "colour"),
    [
        (0, (0, 0, 0)),
        (1, (128, 0, 0)),
        (2, (0, 128, 0)),
        (7, (128, 128, 128)),
        (15, (192, 128, 128)),
        (20, (0, 64, 128)),
        (255, (224, 224, 192)),
    ],
)
def test_colours_are_those_of_the_published_palette(label, colour):
    assert voc.colour(label) == colour
    assert voc.COLOURS[colour] == label


def test_every_label_has_a_colour_of_its_own():
    assert len(voc.COLOURS) == 22
    assert len({voc.colour(label) for label in range(256)}) == 256


def test_labels_count_the_classes_from_1_in_order():
    assert (voc.label_in("aeroplane"), voc.label_in("tv")) == (1, 20)
    assert [voc.label_in(name) for name in voc.CLASSES] == list(range(1, 21))


@pytest.mark.parametrize(
    ("name", "label"),
    [
        ("2009_004382_cat", 8),
        ("Cow12", 10),
        ("0001-tv-2", 20),
        ("carpark_dog", 12),  # car is a part of a word, dog a word
        ("blackcat_3", 8),  # no word is a class
        ("person_horse", 13),  # two: the first in VOC's order
    ],
)
def test_the_class_of_a_name_is_its_word(name, label):
    assert voc.label_in(name) == label


def test_a_name_without_a_class_is_refused():
    with pytest.raises(InputError, match=r"zebra_1: no class .* aeroplane"):
        voc.label_in("zebra_1")
