"""Brush masks are packed as Label Studio packs them."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgewise.errors import InputError
from edgewise.formats.brush import decoded, encoded

from .shapes import blobs, noise

MASK = np.array([[0, 0, 0, 0, 0], [0, 1, 1, 1, 0], [1, 0, 0, 0, 0]], dtype=bool)
PACKED = [0, 0, 0, 60, 57, 27, 254, 23, 0, 183, 255, 24, 4, 127, 247, 192, 0]
"""What label-studio-sdk 2.1.2 (converter.brush.mask2rle) makes of MASK."""

# Its encode_rle of 3x5 pixels of many reds, whose alpha is 200 in a 2x2 square at row 1, column 1:
# single values between runs, as the editor writes them.
# fmt: off
PAINTED = [
    0, 0, 0, 60, 57, 27, 252, 96, 0, 8, 68, 0, 1, 4, 64, 0, 24, 68, 0, 2, 4, 64, 0, 40, 68, 0, 3, 4,
    32, 0, 100, 0, 225, 8, 0, 25, 0, 64, 68, 0, 4, 132, 64, 0, 80, 68, 0, 5, 132, 32, 0, 100, 1,
    129, 8, 0, 25, 0, 104, 68, 0, 7, 4, 64, 0,
]
# fmt: on


def test_a_mask_is_packed_as_by_label_studio():
    assert encoded(MASK) == PACKED
    np.testing.assert_array_equal(decoded(PACKED, MASK.shape), MASK)


def test_single_values_and_partial_alpha_are_read():
    expected = np.zeros((3, 5), dtype=bool)
    expected[1:3, 1:3] = True
    np.testing.assert_array_equal(decoded(PAINTED, (3, 5)), expected)


@given(st.one_of(noise, blobs()))
def test_masks_come_back_exactly(mask):
    np.testing.assert_array_equal(decoded(encoded(mask), mask.shape), mask)


@given(st.lists(st.tuples(st.booleans(), st.integers(1, 8), st.integers(0, 255)), max_size=9))
def test_the_fourth_value_counts_wherever_packets_begin_and_end(packets):
    values = []
    bits = ""
    for run, count, value in packets:
        words = [value] if run else [(value + 40 * step) % 256 for step in range(count)]
        values += words * count if run else words
        bits += f"{run:b}00{count - 1:03b}" + "".join(f"{word:08b}" for word in words)
    rest = -len(values) % 4 + 4
    bits += f"100{rest - 1:03b}{0:08b}"
    values += [0] * rest
    bits = (
        f"{len(values):032b}{7:05b}" + "".join(f"{width - 1:04b}" for width in (3, 4, 8, 16)) + bits
    )
    packed = np.packbits([int(bit) for bit in bits]).tolist()
    alpha = np.array(values[3::4], dtype=np.uint8)
    np.testing.assert_array_equal(decoded(packed, (1, len(alpha)))[0], alpha >= 128)


@pytest.mark.parametrize("pixels", [16384, 16385, 40000])
def test_runs_longer_than_a_packet_come_back(pixels):
    mask = np.zeros((1, pixels + 2), dtype=bool)
    mask[0, 1:-1] = True
    np.testing.assert_array_equal(decoded(encoded(mask), mask.shape), mask)


def test_the_reference_agrees_where_it_is_installed():
    brush = pytest.importorskip("label_studio_sdk.converter.brush")
    mask = np.random.default_rng(3).random((31, 45)) > 0.5
    theirs = brush.mask2rle(mask.astype(np.uint8) * 255)
    np.testing.assert_array_equal(decoded([int(byte) for byte in theirs], mask.shape), mask)
    alpha = brush.decode_rle(encoded(mask)).reshape(*mask.shape, 4)[..., 3]
    np.testing.assert_array_equal(alpha > 0, mask)


@pytest.mark.parametrize(
    ("numbers", "wrong"),
    [
        ([], "has 0 pixels; 5x3 are 15"),
        ([0, 0, 0, 64, *PACKED[4:]], "has 16 pixels; 5x3 are 15"),
        ([0, 0, 0, 60, 121, *PACKED[5:]], "words of 16 bits"),
        (PACKED[:12], "ends after"),
        (PACKED[:7], "ends after 0 pixels"),
        ([*PACKED[:7], 63, 255, 255, 255, 255, 255], "its rle"),
        ([256], "no list of bytes"),
        (["0"], "no list of bytes"),
        ([0.5], "no list of bytes"),
    ],
)
def test_damaged_packings_are_refused(numbers, wrong):
    with pytest.raises(InputError, match=wrong):
        decoded(numbers, (3, 5))


@given(st.integers(0, 16), st.integers(0, 255))
def test_a_damaged_byte_gives_a_mask_of_the_right_size_or_an_error(place, value):
    numbers = [*PACKED[:place], value, *PACKED[place + 1 :]]
    try:
        mask = decoded(numbers, (3, 5))
    except InputError:
        return
    assert mask.shape == (3, 5)
