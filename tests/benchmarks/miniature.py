"""Datasets and outputs in the published layouts, small enough to make in a test."""

import io
import zipfile
from dataclasses import replace

import numpy as np
from PIL import Image

from edgewise.benchmarks.catalog import find

BIG_NAMES = {"val": ["001_cat"], "test": ["002_person", "003_tv"]}
PASCAL_NAMES = ["2007_000033_01", "2007_000042_19"]
ADE_NAMES = ["ADE_val_00000001", "ADE_val_00000002"]
SIZE = (24, 36)  # height, width


def small(name):
    """A row of the catalog that expects a miniature."""
    row = find(name)
    counts = {
        "big": {"val": 1, "test": 2} if row.role == "dataset" else {"test": 2},
        "pascal": {"all": 2},
        "ade20k": {"validation": 2} if row.counts else {},
    }[row.dataset]
    pixels = (SIZE[0] * SIZE[1],) * 2 if row.pixels else None
    return replace(row, counts=counts, pixels=pixels)


def photo(seed=0, size=SIZE):
    return np.random.default_rng(seed).integers(0, 256, (*size, 3), dtype=np.uint8)


def disc(size=SIZE, radius=0.35):
    """A mask, bool."""
    rows, columns = np.mgrid[: size[0], : size[1]]
    away = ((rows + 0.5) / size[0] - 0.5) ** 2 + ((columns + 0.5) / size[1] - 0.4) ** 2
    return away < radius**2


def grey(mask):
    return mask.astype(np.uint8) * 255


def save(array, path):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(array).save(path)
    return path


def big(folder):
    for split, names in BIG_NAMES.items():
        for name in names:
            save(photo(), folder / split / f"{name}_im.jpg")
            save(grey(disc()), folder / split / f"{name}_gt.png")
    return folder


def pascal(folder):
    for name in PASCAL_NAMES:
        save(photo(), folder / f"{name}_im.png")
        save(grey(disc()), folder / f"{name}_gt.png")
    return folder


def ade20k(folder):
    for name in ADE_NAMES:
        save(photo(), folder / "images" / "validation" / f"{name}.jpg")
        labels = np.where(disc(), 13, 3).astype(np.uint8)
        labels[0, 0] = 0
        save(labels, folder / "annotations" / "validation" / f"{name}.png")
    return folder


def masks(folder, names, ending="_seg.png"):
    for name in names:
        save(grey(disc(radius=0.3)), folder / f"{name}{ending}")
    return folder


def ade_split(folder):
    for name in ADE_NAMES:
        save(photo(), folder / f"{name}_im.jpg")
        for part in ("13.1", "3.2"):
            save(grey(disc()), folder / f"{name}_{part}_seg.png")
            save(grey(disc()), folder / f"{name}_{part}_gt.png")
    return folder


def zipped(folder, top=""):
    """A zip of a folder, below a top folder."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        for path in sorted(folder.rglob("*")):
            if path.is_file():
                archive.write(path, f"{top}{path.relative_to(folder).as_posix()}")
    return stream.getvalue()
