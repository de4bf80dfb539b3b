"""Makes data/foreground.npz: a composite of known colours, and PyMatting's foreground of it.

PyMatting comes with numba and llvmlite, some 300 MB, so run this in an environment of its own:

    python -m venv reference
    reference/bin/pip install pymatting==1.1.16
    reference/bin/python tests/reference_foreground.py
"""

from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFilter
from pymatting import estimate_foreground_ml

HEIGHT, WIDTH = 28, 36


def drawn_alpha():
    """A disc with a soft rim and hairs, in 0..255: drawn four times larger and averaged."""
    picture = Image.new("L", (4 * WIDTH, 4 * HEIGHT))
    draw = ImageDraw.Draw(picture)
    draw.ellipse((20, 40, 84, 104), fill=255)
    for number in range(9):
        draw.line((60, 60, 70 + 8 * number, 2 + number**2), fill=255, width=2)
    soft = picture.filter(ImageFilter.GaussianBlur(3)).reduce(4)
    return np.asarray(soft)


def coloured(rng, base, spread):
    """A smooth colour field with some grain, float HxWx3 in [0, 1]."""
    rows, columns = np.mgrid[0:HEIGHT, 0:WIDTH]
    slope = (
        rows[..., None] * [1, -1, 0.5] / HEIGHT + columns[..., None] * [-1, 0.5, 1] / WIDTH
    ) / 8
    return np.clip(np.array(base) + slope + rng.normal(0, spread, (HEIGHT, WIDTH, 3)), 0, 1)


def main():
    """Write the file."""
    rng = np.random.default_rng(5)
    alpha = drawn_alpha()
    fore, back = coloured(rng, (0.7, 0.4, 0.2), 0.02), coloured(rng, (0.2, 0.5, 0.8), 0.02)
    share = alpha[..., None] / 255
    photo = np.rint(255 * (share * fore + (1 - share) * back)).astype(np.uint8)
    reference = estimate_foreground_ml(photo / 255, alpha / 255)
    np.savez_compressed(
        Path(__file__).parent / "data" / "foreground.npz",
        photo=photo,
        alpha=alpha,
        known=np.rint(fore * 255).astype(np.uint8),
        pymatting=np.rint(reference * 255).astype(np.uint8),
    )


if __name__ == "__main__":
    main()
