"""Label maps and instances: how much better they get, and how fast and large that is.

    python bench/scenes.py quality FOLDER [--every 2 --first 0] [--alone] [--limit N] [--keep DIR]
    python bench/scenes.py instances FOLDER [--every 4 --first 0] [--limit N]
    python bench/scenes.py speed [--megapixels 8] [--pieces 100]

FOLDER holds `<image>_im.jpg`, `<image>_labels.png` (0 is void) and `<image>_coarse.png`. `quality`
compares the coarse maps with the refined ones and, with --alone, with each label's pieces refined
alone and merged by the published rule. `instances` takes the pieces of the coarse labels as coarse
masks of those pieces of the true ones that they cover best, by at least one half. `speed` refines
a drawn photo; its wall time means something on a quiet machine alone, the processor's seconds on
any. All with the package's own network, opened on --threads cores.
"""

import argparse
import json
import resource
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from edgewise.formats.annotation import Rle
from edgewise.images import read_photo
from edgewise.metrics import boundary_iou, iou
from edgewise.refiner import Refiner
from edgewise.scenes.evaluate import SceneScore
from edgewise.scenes.instances import refine_instances
from edgewise.scenes.labels import read_labels
from edgewise.scenes.merge import Part, merge, part_box
from edgewise.scenes.refine import refine_labels
from edgewise.scenes.split import split

Labels = NDArray[np.integer[Any]]
Photo = NDArray[np.uint8]
Mask = NDArray[np.bool_]
HARM = 0.002
COVERS = 0.5
LEAST_PIXELS = 400


def scenes(folder: Path, options: argparse.Namespace) -> Iterator[tuple[str, Photo, Labels]]:
    """Name, photo and true labels of the chosen photos."""
    photos = sorted(folder.glob("*_im.jpg"))[options.first :: options.every]
    for path in photos[: options.limit]:
        name = path.name.removesuffix("_im.jpg")
        yield name, read_photo(path), read_labels(folder / f"{name}_labels.png")[0]


def merged_alone(refiner: Refiner, photo: Photo, coarse: Labels) -> Labels:
    """Each piece refined alone in its box, and the published merge."""
    parts = []
    for piece in split(coarse):
        mask = np.zeros(coarse.shape, np.bool_)
        mask[piece.box.slices] = piece.mask
        box = part_box(mask)
        inside = mask[box.slices]
        if inside.size and inside.any() and not inside.all():
            soft = refiner.refine(photo[box.slices], inside).soft
            parts.append(Part(piece.label, box, soft))
    return merge(coarse, parts)


def quality(options: argparse.Namespace) -> dict[str, Any]:
    """Scores of label maps in points, and the share of harmed scenes."""
    refiner = Refiner.open(threads=options.threads)
    rows: dict[str, list[tuple[float, float]]] = {"coarse": [], "joint": []}
    lost = 0
    start = time.process_time()
    for name, photo, truth in scenes(options.folder, options):
        coarse = read_labels(options.folder / f"{name}_coarse.png")[0]
        maps = {"coarse": coarse, "joint": refine_labels(photo, coarse, refiner=refiner)}
        if options.alone:
            maps["alone"] = merged_alone(refiner, photo, coarse)
        lost += int(np.count_nonzero((coarse != 0) & (maps["joint"] == 0)))
        for way, labels in maps.items():
            score = SceneScore.of(labels, truth, classes=int(max(labels.max(), truth.max())))
            rows.setdefault(way, []).append((score.scene_iou.score, score.mba.score))
        gains = {way: _gain(found[-1:], rows["coarse"][-1:]) for way, found in rows.items()}
        print(name, json.dumps(gains), flush=True)
        if options.keep:
            options.keep.mkdir(parents=True, exist_ok=True)
            Image.fromarray(maps["joint"].astype(np.uint8)).save(options.keep / f"{name}.png")
    before, after = (np.array(rows[way])[:, 0] for way in ("coarse", "joint"))
    return {
        "scenes": len(before),
        "coarse": [round(100 * float(value), 2) for value in np.mean(rows["coarse"], axis=0)],
        "gain of IoU by scene and mBA": {way: _gain(rows[way], rows["coarse"]) for way in rows},
        "harmed": round(float(np.mean(after < before - HARM)), 3),
        "pixels that lost their label": lost,
        "cpu_s": round(time.process_time() - start, 1),
    }


def _gain(rows: list[tuple[float, float]], before: list[tuple[float, float]]) -> list[float]:
    means = 100 * (np.mean(rows, axis=0) - np.mean(before, axis=0))
    return [round(float(value), 2) for value in means]


def objects(truth: Labels) -> Iterator[Mask]:
    """The 8-connected pieces of all labels, bool HxW; none that are tiny."""
    for label in np.unique(truth[truth > 0]):
        count, numbers, stats, _ = cv2.connectedComponentsWithStats((truth == label).view(np.uint8))
        for number in range(1, count):
            if stats[number, cv2.CC_STAT_AREA] >= LEAST_PIXELS:
                yield np.asarray(numbers == number)


def matched(truth: Labels, coarse: Labels) -> Iterator[tuple[Mask, Mask]]:
    """Pieces of the true labels with the coarse pieces of the same label that cover them best."""
    for label in np.intersect1d(truth, coarse):
        rough = list(objects(np.where(coarse == label, coarse, 0)))
        for true in objects(np.where(truth == label, truth, 0)):
            shares = [iou(mask, true) for mask in rough]
            if shares and max(shares) >= COVERS:
                yield true, rough[int(np.argmax(shares))]


def instances(options: argparse.Namespace) -> dict[str, Any]:
    """Mean boundary IoU of instances before and after, in points."""
    refiner = Refiner.open(threads=options.threads)
    before, after = [], []
    start = time.process_time()
    for name, photo, truth in scenes(options.folder, options):
        labels = read_labels(options.folder / f"{name}_coarse.png")[0]
        pairs = list(matched(truth, labels))
        found = refine_instances(refiner, photo, [Rle.of(rough) for _, rough in pairs])
        for (mask, rough), rle in zip(pairs, found, strict=True):
            before.append(boundary_iou(rough, mask))
            after.append(boundary_iou(rough if rle is None else rle.mask(), mask))
        print(name, len(before), 100 * np.mean(before), 100 * np.mean(after), flush=True)
    return {
        "instances": len(before),
        "boundary IoU before": round(100 * float(np.mean(before)), 2),
        "boundary IoU after": round(100 * float(np.mean(after)), 2),
        "cpu_s": round(time.process_time() - start, 1),
    }


def drawn(megapixels: float, pieces: int) -> tuple[Photo, Labels]:
    """A noisy photo of discs on a background, and their labels, some pixels off."""
    height = round((megapixels * 1e6 / 1.5) ** 0.5)
    width = round(height * 1.5)
    random = np.random.default_rng(0)
    columns = round((1.5 * (pieces - 1)) ** 0.5)
    rows = -(-(pieces - 1) // columns)
    pitch = min(height // rows, width // columns)
    labels = np.ones((height, width), np.uint8)
    for number in range(pieces - 1):
        y, x = (number // columns + 0.5) * pitch, (number % columns + 0.5) * pitch
        radius = round(pitch * random.uniform(0.2, 0.42))
        cv2.circle(labels, (round(x), round(y)), radius, 2 + number % 149, -1)
    colours = random.integers(0, 200, (256, 3), np.uint8)
    noise = random.integers(0, 40, (height, width, 3), np.uint8)
    return colours[labels] + noise, np.roll(labels, (5, 7), (0, 1)).astype(np.int32)


def speed(options: argparse.Namespace) -> dict[str, Any]:
    """Seconds and memory of one large photo with many pieces."""
    refiner = Refiner.open(threads=options.threads)
    photo, labels = drawn(options.megapixels, options.pieces)
    wall, processor = time.perf_counter(), time.process_time()
    refine_labels(photo, labels, refiner=refiner)
    return {
        "megapixels": round(labels.size / 1e6, 2),
        "pieces": options.pieces,
        "wall_s": round(time.perf_counter() - wall, 2),
        "cpu_s": round(time.process_time() - processor, 2),
        "peak_mb": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024),
    }


def main() -> None:
    """Run one of the three."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    ways = parser.add_subparsers(required=True)
    for way in (quality, instances, speed):
        sub = ways.add_parser(way.__name__, help=way.__doc__)
        sub.set_defaults(run=way)
        sub.add_argument("--threads", type=int, help="cores; all of this process's by default")
        sub.add_argument("--json", type=Path, help="write the result here too")
        if way is speed:
            sub.add_argument("--megapixels", type=float, default=8)
            sub.add_argument("--pieces", type=int, default=100)
            continue
        sub.add_argument("folder", type=Path)
        sub.add_argument("--every", type=int, default=1, help="one photo in so many")
        sub.add_argument("--first", type=int, default=0, help="which of these")
        sub.add_argument("--limit", type=int, help="at most so many photos")
        if way is quality:
            sub.add_argument("--alone", action="store_true", help="the published way as well")
            sub.add_argument("--keep", type=Path, help="write the refined maps here")
    options = parser.parse_args()
    result = options.run(options)
    print(json.dumps(result, indent=2))
    if options.json:
        options.json.write_text(json.dumps(result, indent=2) + "\n")


if __name__ == "__main__":
    main()
