"""Label Studio's brush masks: run lengths of the bytes of an RGBA picture, packed into bits.

The packing is that of @thi.ng/rle-pack (README and src/index.ts): 32 bits of the number of values,
5 of the word size less one, four times 4 of the count widths less one; then packets. A packet is
one bit (1: a run of one value, 0: single values), two that choose a count width, the count less
one, and the value or values. Label Studio packs 8-bit words with widths of 3, 4, 8 and 16 bits and
takes the fourth of each pixel's values, alpha, for the mask.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from edgewise.errors import InputError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from edgewise.formats.annotation import Size

_WORD = 8
_WIDTHS = (3, 4, 8, 16)
_CHANNELS = 4


def decoded(numbers: list[Any], size: Size) -> NDArray[np.bool_]:
    """The mask, bool HxW, of the bytes of a brush region: alpha of one half and more.

    Args:
        numbers: the bytes, as the list of numbers that JSON holds.
        size: height and width that the picture must have.

    Raises:
        InputError: no bytes, another size, or data that ends early.
    """
    if not all(type(number) is int and 0 <= number <= 255 for number in numbers):
        raise InputError("its rle is no list of bytes, 0 to 255")
    bits = np.unpackbits(np.array(numbers, dtype=np.uint8))
    text = bytes(bits + ord("0")).decode("ascii")
    expected = size[0] * size[1] * _CHANNELS
    if len(text) < 53 or int(text[:32], 2) != expected:
        stated = int(text[:32], 2) // _CHANNELS if len(text) >= 32 else 0
        raise InputError(f"its rle has {stated} pixels; {size[1]}x{size[0]} are {expected // 4}")
    if int(text[32:37], 2) + 1 != _WORD:
        raise InputError(f"its rle has words of {int(text[32:37], 2) + 1} bits; expected {_WORD}")
    widths = [int(text[at : at + 4], 2) + 1 for at in range(37, 53, 4)]
    return _alpha(bits, text, widths, size[0] * size[1]).reshape(size)


def _alpha(bits: NDArray[np.uint8], text: str, widths: list[int], pixels: int) -> NDArray[np.bool_]:
    """Whether each pixel's fourth value is one half or more; no other value is written."""
    inside = np.zeros(pixels, dtype=bool)
    total = pixels * _CHANNELS
    at, done = 53, 0
    while done < total:
        width = widths[int(text[at + 1 : at + 3] or "0", 2)]
        start = at + 3 + width
        if start + _WORD > len(text):
            raise InputError(f"its rle ends after {done // _CHANNELS} pixels")
        count = int(text[at + 3 : start], 2) + 1
        words = 1 if text[at] == "1" else count
        at = start + words * _WORD
        if at > len(text) or done + count > total:
            raise InputError(f"its rle is damaged after {done // _CHANNELS} pixels")
        # The high bit of a pixel's last value says whether it is one half or more.
        highs = bits[start:at:_WORD]
        first, last = done // _CHANNELS, (done + count) // _CHANNELS
        if words > 1:
            inside[first:last] = highs[_CHANNELS - 1 - done % _CHANNELS :: _CHANNELS]
        elif highs[0]:
            inside[first:last] = True
        done += count
    return inside


def encoded(mask: NDArray[np.bool_]) -> list[int]:
    """The bytes of a brush region for a mask, bool HxW."""
    flat = mask.ravel()
    changes = np.flatnonzero(flat[1:] != flat[:-1]) + 1
    starts = np.concatenate([[0], changes])
    lengths = np.diff(np.append(starts, flat.size)) * _CHANNELS
    pieces = [f"{flat.size * _CHANNELS:032b}{_WORD - 1:05b}"]
    pieces += [f"{width - 1:04b}" for width in _WIDTHS]
    for start, length in zip(starts.tolist(), lengths.tolist(), strict=True):
        pieces += _packets(length, "11111111" if flat[start] else "00000000")
    text = "".join(pieces)
    bits = np.frombuffer(text.encode("ascii"), dtype=np.uint8) - ord("0")
    packed: list[int] = np.packbits(bits).tolist()
    return packed


def _packets(length: int, word: str) -> list[str]:
    """A run as packets, each as long as the widest count allows."""
    longest = 1 << _WIDTHS[-1]
    full, rest = divmod(length, longest)
    packets = [f"111{longest - 1:b}{word}"] * full
    if rest:
        choice = next(n for n, width in enumerate(_WIDTHS) if rest <= 1 << width)
        packets.append(f"1{choice:02b}{rest - 1:0{_WIDTHS[choice]}b}{word}")
    return packets
