"""Label maps for tests: rectangles and discs over each other, each label a piece or several."""

import numpy as np
from hypothesis import strategies as st


def painted(seed, *, size=(90, 120), labels=5, objects=6):
    """A map of `objects` random rectangles and ellipses over label 1."""
    random = np.random.default_rng(seed)
    height, width = size
    rows, columns = np.ogrid[:height, :width]
    scene = np.ones(size, np.int32)
    for _ in range(objects):
        y, x = random.integers(0, height), random.integers(0, width)
        a, b = random.integers(4, height // 2), random.integers(4, width // 2)
        label = random.integers(0, labels + 1)
        if random.random() < 0.5:
            scene[max(0, y - a) : y + a, max(0, x - b) : x + b] = label
        else:
            scene[((rows - y) / a) ** 2 + ((columns - x) / b) ** 2 <= 1] = label
    return scene


scenes = st.integers(0, 2**32 - 1).map(painted)
