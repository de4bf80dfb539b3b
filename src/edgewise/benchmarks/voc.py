"""PASCAL VOC's classes and colours, by which the published data name objects."""

import re

from edgewise.errors import InputError

CLASSES = (
    "aeroplane",
    "bicycle",
    "bird",
    "boat",
    "bottle",
    "bus",
    "car",
    "cat",
    "chair",
    "cow",
    "diningtable",
    "dog",
    "horse",
    "motorbike",
    "person",
    "pottedplant",
    "sheep",
    "sofa",
    "train",
    "tv",
)
"""The 20 classes in order; the class at place i has the label i + 1, the background 0."""

VOID = 255
"""The label of pixels that PASCAL VOC leaves out."""


def colour(label: int) -> tuple[int, int, int]:
    """The RGB colour, 0..255 each, of a label 0..255 in PASCAL VOC's palette.

    The bits of the label, from the lowest, go round red, green and blue, and in each of them from
    the highest bit down (`VOClabelcolormap` of the VOC development kit).
    """
    channels = [0, 0, 0]
    for bit in range(8):
        channels[bit % 3] |= (label >> bit & 1) << (7 - bit // 3)
    return channels[0], channels[1], channels[2]


LABELS = (*range(len(CLASSES) + 1), VOID)
"""Every label that a map of PASCAL VOC may hold."""

COLOURS = {colour(label): label for label in LABELS}
"""Labels by their RGB colour."""


def label_in(name: str) -> int:
    """The label 1..20 of the class that a file name has as a word, else within a word.

    "003_person-horse" has two: the first in the order of `CLASSES` counts, as in the conversion
    that the published input sets were made by.

    Raises:
        InputError: the name has no class.
    """
    words = set(re.split(r"[^a-z]+", name.lower()))
    for found in (words.__contains__, name.lower().__contains__):
        for label, known in enumerate(CLASSES, start=1):
            if found(known):
                return label
    raise InputError(f"{name}: no class in this name; expected one of {', '.join(CLASSES)}")
