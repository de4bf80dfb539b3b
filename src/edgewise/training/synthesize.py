"""Scenes with exact truth: pasted objects and procedural shapes over photos.

Real sets are hand drawn and a few pixels off; these teach what a pixel-exact edge and thin
structure look like at native resolution.
"""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from edgewise.training.coarsen import smooth_noise

Photo = NDArray[np.uint8]
Alpha = NDArray[np.float32]
SUPERSAMPLE = 2


@dataclass(frozen=True, kw_only=True)
class Cutout:
    """An object without its surroundings: colour uint8 HxWx3 RGB and alpha uint8 HxW."""

    colour: Photo
    alpha: NDArray[np.uint8]


def texture(photo: Photo, size: int, random: Generator) -> Photo:
    """A random square of a photo, resized to size x size."""
    height, width = photo.shape[:2]
    side = int(random.uniform(0.35, 1.0) * min(height, width))
    top = int(random.integers(height - side + 1))
    left = int(random.integers(width - side + 1))
    crop = photo[top : top + side, left : left + side]
    how = cv2.INTER_AREA if side > size else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(crop, (size, size), interpolation=how))


def place(cutout: Cutout, size: int, random: Generator) -> tuple[Photo, Alpha]:
    """The object turned, scaled and moved onto a size x size canvas: colour and alpha there."""
    height, width = cutout.alpha.shape
    scale = size * random.uniform(0.35, 0.95) / max(height, width)
    if scale < 1:  # shrink by area first: warping alone would alias
        target = (max(2, round(width * scale)), max(2, round(height * scale)))
        colour = cv2.resize(cutout.colour, target, interpolation=cv2.INTER_AREA)
        alpha = cv2.resize(cutout.alpha, target, interpolation=cv2.INTER_AREA)
        scale = 1.0
    else:
        colour, alpha = cutout.colour, cutout.alpha
    height, width = alpha.shape
    matrix = cv2.getRotationMatrix2D((width / 2, height / 2), random.normal(0, 20), scale)
    matrix[:, 2] += size * random.uniform(0.4, 0.6, 2) - (width / 2, height / 2)
    canvas = (size, size)
    moved = cv2.warpAffine(colour, matrix, canvas, borderMode=cv2.BORDER_REPLICATE)
    cover = cv2.warpAffine(alpha, matrix, canvas)
    return np.asarray(moved, np.uint8), np.asarray(cover / np.float32(255), np.float32)


def _blob(canvas: Photo, random: Generator) -> None:
    size = canvas.shape[0]
    turns = np.linspace(0, 2 * np.pi, 200, endpoint=False)
    radius = np.ones_like(turns)
    for harmonic in range(2, 9):
        strength = random.normal(0, 0.5 / harmonic)
        radius += strength * np.cos(harmonic * turns + random.uniform(0, 2 * np.pi))
    radius = size * random.uniform(0.1, 0.35) * np.clip(radius, 0.15, 2)
    centre = size * random.uniform(0.3, 0.7, 2)
    points = centre + np.stack([np.cos(turns), np.sin(turns)], 1) * radius[:, None]
    cv2.fillPoly(canvas, [points.astype(np.int32)], 255)


def _polygon(canvas: Photo, random: Generator) -> None:
    size = canvas.shape[0]
    corners = int(random.integers(3, 9))
    turns = np.sort(random.uniform(0, 2 * np.pi, corners))
    radius = size * random.uniform(0.15, 0.45, corners)
    points = size / 2 + np.stack([np.cos(turns), np.sin(turns)], 1) * radius[:, None]
    cv2.fillPoly(canvas, [points.astype(np.int32)], 255)


def _curve(size: int, random: Generator) -> NDArray[np.int32]:
    """A smooth random path of 60 points: a quadratic Bezier from place to place."""
    start, bend, end = size * random.uniform(0.05, 0.95, (3, 2))
    t = np.linspace(0, 1, 60)[:, None]
    return np.asarray((1 - t) ** 2 * start + 2 * t * (1 - t) * bend + t**2 * end, np.int32)


def _wires(canvas: Photo, random: Generator) -> None:
    size = canvas.shape[0]
    for _ in range(int(random.integers(1, 7))):
        width = max(2, round(size * float(np.exp(random.uniform(np.log(0.004), np.log(0.04))))))
        cv2.polylines(canvas, [_curve(size, random)], False, 255, width, cv2.LINE_AA)


def _hair(canvas: Photo, random: Generator) -> None:
    """Strands that grow out of a blob."""
    _blob(canvas, random)
    rows, columns = np.nonzero(canvas)
    size = canvas.shape[0]
    for _ in range(int(random.integers(15, 60))):
        pick = int(random.integers(len(rows)))
        start = np.array([columns[pick], rows[pick]], np.float64)
        away = start - size / 2 + random.normal(0, size * 0.08, 2)
        end = start + away * random.uniform(0.2, 0.9)
        bend = (start + end) / 2 + random.normal(0, size * 0.05, 2)
        t = np.linspace(0, 1, 20)[:, None]
        path = (1 - t) ** 2 * start + 2 * t * (1 - t) * bend + t**2 * end
        thickness = int(random.integers(1, 5))
        cv2.polylines(canvas, [path.astype(np.int32)], False, 255, thickness, cv2.LINE_AA)


def _plant(canvas: Photo, random: Generator) -> None:
    """Stems that carry leaves."""
    size = canvas.shape[0]
    root = size * random.uniform(0.35, 0.65, 2)
    for _ in range(int(random.integers(3, 10))):
        tip = size * random.uniform(0.08, 0.92, 2)
        stem = max(2, int(size * random.uniform(0.004, 0.015)))
        cv2.line(
            canvas, root.astype(int).tolist(), tip.astype(int).tolist(), 255, stem, cv2.LINE_AA
        )
        for along in random.uniform(0.3, 1, int(random.integers(2, 7))):
            spot = (root + (tip - root) * along + random.normal(0, size * 0.02, 2)).astype(int)
            axes = (size * random.uniform((0.015, 0.008), (0.07, 0.035))).astype(int)
            turn = float(random.uniform(0, 180))
            cv2.ellipse(canvas, spot.tolist(), axes.tolist(), turn, 0, 360, 255, -1, cv2.LINE_AA)


def _grid(canvas: Photo, random: Generator) -> None:
    """A fence, a rack, a ladder: crossing bars."""
    size = canvas.shape[0]
    bar = max(2, int(size * random.uniform(0.006, 0.03)))
    low, high = (int(size * v) for v in (random.uniform(0.05, 0.3), random.uniform(0.7, 0.95)))
    for axis in range(2):
        for at in np.linspace(low, high, int(random.integers(2, 9))).astype(int):
            a, b = ((int(at), low), (int(at), high)) if axis else ((low, int(at)), (high, int(at)))
            cv2.line(canvas, a, b, 255, bar, cv2.LINE_AA)


def _glyphs(canvas: Photo, random: Generator) -> None:
    size = canvas.shape[0]
    letters = "".join(random.choice(list("ABDOPQRaegs&%#@8604"), int(random.integers(1, 4))))
    font = int(random.choice([cv2.FONT_HERSHEY_SIMPLEX, cv2.FONT_HERSHEY_TRIPLEX]))
    scale = size / 30 / len(letters) ** 0.7 * random.uniform(0.6, 1.1)
    width = max(2, int(size * random.uniform(0.008, 0.05)))
    spot = (int(size * 0.12), int(size * random.uniform(0.6, 0.85)))
    cv2.putText(canvas, letters, spot, font, scale, 255, width, cv2.LINE_AA)


SHAPES = (_blob, _polygon, _wires, _hair, _plant, _grid, _glyphs)


def shape(size: int, random: Generator) -> Alpha:
    """The anti-aliased alpha of one procedural object on a size x size canvas."""
    large = size * SUPERSAMPLE
    canvas = np.zeros((large, large), np.uint8)
    for index in random.choice(len(SHAPES), 1 + (random.random() < 0.3), replace=False):
        SHAPES[index](canvas, random)
    if random.random() < 0.3:  # holes
        hole = np.zeros_like(canvas)
        SHAPES[int(random.integers(len(SHAPES)))](hole, random)
        if np.count_nonzero(canvas & ~hole) > 0.3 * np.count_nonzero(canvas):
            canvas = canvas & ~hole
    turn = cv2.getRotationMatrix2D((large / 2, large / 2), float(random.uniform(0, 360)), 1.0)
    canvas = np.asarray(cv2.warpAffine(canvas, turn, (large, large)))
    small = cv2.resize(canvas, (size, size), interpolation=cv2.INTER_AREA)
    return np.asarray(small / np.float32(255), np.float32)


def shade(photo: Photo, random: Generator) -> Photo:
    """A smooth change of light over a photo, so that object and surroundings differ."""
    size = photo.shape[:2]
    gain = np.clip(1 + 0.25 * smooth_noise(size, size[0] / 2, random), 0.4, 1.6)
    tint = random.uniform(0.75, 1.25, 3).astype(np.float32)
    return np.asarray(np.clip(photo * gain[..., None] * tint, 0, 255), np.uint8)


def paste(colour: Photo, alpha: Alpha, background: Photo, random: Generator) -> Photo:
    """Composite by alpha, with a drop shadow at times and a common softness of focus."""
    base = background.astype(np.float32)
    if random.random() < 0.3:
        size = alpha.shape[0]
        move = np.array([[1, 0, 0], [0, 1, 0]], np.float32)
        move[:, 2] = random.normal(0, 0.04 * size, 2)
        shadow = cv2.warpAffine(alpha, move, alpha.shape[::-1])
        shadow = cv2.GaussianBlur(shadow, (0, 0), size * random.uniform(0.01, 0.05))
        base *= 1 - random.uniform(0.2, 0.6) * shadow[..., None]
    cover = alpha[..., None]
    return np.asarray(colour * cover + base * (1 - cover), np.float32).astype(np.uint8)
