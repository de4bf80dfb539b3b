"""Training samples: a ladder of two views of one object, from folders of photos and truths.

A sample is what the refiner meets at two successive zooms. The first view is a whole object (or a
window at its edge) at `size` pixels with its coarse mask; the second is a window of it at twice
the zoom, whose prior will be the network's own answer to the first (see train.py).
"""

import tomllib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from importlib import resources
from pathlib import Path

import cv2
import numpy as np
import torch
from numpy.random import Generator
from numpy.typing import NDArray
from torch.utils.data import IterableDataset

from edgewise.errors import InputError
from edgewise.files import atomic_path
from edgewise.training import coarsen, synthesize
from edgewise.training.synthesize import Cutout, Photo

Grey = NDArray[np.uint8]
Sample = dict[str, NDArray[np.uint8] | NDArray[np.int64]]

WHOLE_SHARE = 0.62  # samples that start from the whole object rather than from a window
REAL_SHARE = 0.6  # where a real network's coarse mask is at hand, how often it is used
PROPOSAL_SHARE = 0.85  # where that has a proposal, how often it is the first view's prior
MINIMUM_EXTENT = 20  # objects smaller than this many pixels across teach nothing


@dataclass(frozen=True, kw_only=True)
class Source:
    """One row of sources.toml."""

    name: str
    weight: float
    error: float
    void: bool = False
    composite: bool = False


@dataclass(frozen=True, slots=True)
class Encoded:
    """A picture's file: read once, and decoded when drawn."""

    path: Path
    data: bytes


@dataclass(frozen=True, kw_only=True)
class Item:
    """One photo of a source."""

    source: Source
    photo: Encoded
    truth: Encoded | None
    labels: Encoded | None
    coarse: tuple[Encoded, ...]
    proposals: tuple[tuple[Encoded, ...], ...]


@dataclass(frozen=True, kw_only=True)
class Scene:
    """One object to be learned: photo RGB, truth 0..255, loss weight 0..255, coarse 0/255.

    `proposal`, soft 0..255, belongs to `coarse`: what propose.py made of it.
    """

    photo: Photo
    truth: Grey
    weight: Grey
    coarse: Grey | None
    proposal: Grey | None
    error: float


def read_sources() -> list[Source]:
    """The table of sources, as committed beside this file."""
    text = resources.files(__package__).joinpath("sources.toml").read_text()
    return [Source(name=name, **row) for name, row in tomllib.loads(text).items()]


def _read(path: Path) -> Encoded:
    try:
        return Encoded(path, path.read_bytes())
    except OSError as error:
        raise InputError(f"{path}: cannot be read: {error.strerror}") from error


def _decode(file: Encoded, flag: int) -> NDArray[np.uint8]:
    picture = cv2.imdecode(np.frombuffer(file.data, np.uint8), flag) if file.data else None
    if picture is None:
        raise InputError(f"{file.path}: is not a picture that can be read, or a damaged one")
    return np.asarray(picture)


def _decode_rgb(file: Encoded) -> Photo:
    return np.ascontiguousarray(_decode(file, cv2.IMREAD_COLOR)[..., ::-1])


def _decode_beside(file: Encoded, photo: Photo, flag: int) -> Grey:
    """A mask or label map, HxW of its photo's size."""
    levels = _decode(file, flag)
    if levels.shape != photo.shape[:2]:
        raise InputError(
            f"{file.path}: is {levels.shape} and its photo {photo.shape[:2]} (rows, columns); "
            "expected one channel of the photo's size"
        )
    return levels


def write_picture(path: Path, image: NDArray[np.uint8], options: Sequence[int] = ()) -> None:
    """Write a picture, as OpenCV encodes it for the name's ending with these options.

    Args:
        path: the file.
        image: uint8 HxW, HxWx3 BGR or HxWx4 BGRA.
        options: pairs of an encoder's option and its value.

    Raises:
        OutputError: it cannot be written; an earlier file stays.
    """
    encoded = cv2.imencode(path.suffix, np.ascontiguousarray(image), list(options))[1]
    with atomic_path(path) as part:
        part.write_bytes(encoded.tobytes())


class Library:
    """All training photos of a folder, held encoded in memory (about 200 MB).

    Args:
        root: a folder with one folder a source, files as `<id>_im.jpg` with `<id>_gt.png` or
            `<id>_labels.png` and any `<id>_seg_*.png`; `_backgrounds/*.jpg`, `_cutouts/*.webp`.
        proposals: folders that propose.py filled from it; one proposal is drawn where several
            have it.

    Raises:
        InputError: no photos, a folder of photos that sources.toml does not name, a folder
            without proposals for these coarse masks, or a file that cannot be read.
    """

    def __init__(self, root: Path, proposals: Sequence[Path] = ()) -> None:
        self.root, self.proposals = root, proposals
        sources = {s.name: s for s in read_sources()}
        found: dict[str, list[Item]] = {name: [] for name in sources}
        for path in sorted(root.glob("[!_]*/*_im.jpg")):
            name = path.parent.name
            if name not in sources:
                raise InputError(
                    f"{path.parent}: is no source of sources.toml; give it a row there"
                )
            found[name].append(self._item(sources[name], path))
        self.items = {name: items for name, items in found.items() if items}
        self.everything = [item for items in self.items.values() for item in items]
        if not self.everything:
            raise InputError(f"{root}: no folders with *_im.jpg photos inside")
        for folder, had in zip(proposals, self._had(), strict=True):
            if not had:
                raise InputError(f"{folder}: holds no proposal for the coarse masks of {root}")
        self.backgrounds = [_read(path) for path in sorted((root / "_backgrounds").glob("*.jpg"))]
        self.cutouts = [_read(path) for path in sorted((root / "_cutouts").glob("*.webp"))]
        self.exact = [i for i in self.everything if i.source.composite]
        drawn = {*self.items, "_shapes"}
        drawn |= {"_cutouts"} if self.cutouts else set()
        drawn |= {"_composites"} if self.exact else set()
        self.sources = [source for name, source in sources.items() if name in drawn]

    def _item(self, source: Source, path: Path) -> Item:
        stem = path.name.removesuffix("_im.jpg")

        def read(suffix: str) -> Encoded | None:
            file = path.with_name(f"{stem}_{suffix}.png")
            return _read(file) if file.exists() else None

        coarse = sorted(path.parent.glob(f"{stem}_seg_*.png"))
        return Item(
            source=source,
            photo=_read(path),
            truth=read("gt"),
            labels=read("labels"),
            coarse=tuple(_read(file) for file in coarse),
            proposals=tuple(self._proposals(file) for file in coarse),
        )

    def _proposals(self, coarse: Path) -> tuple[Encoded, ...]:
        files = [proposal_path(coarse, self.root, folder) for folder in self.proposals]
        return tuple(_read(file) for file in files if file.exists())

    def _had(self) -> list[bool]:
        """Of each folder of proposals, whether any came from it."""
        used = [one.path for item in self.everything for soft in item.proposals for one in soft]
        return [any(path.is_relative_to(folder) for path in used) for folder in self.proposals]

    def scene(self, size: int, random: Generator) -> Scene:
        """Draw one object. Made scenes come at 2 * size pixels, real ones at their own."""
        weights = np.array([s.weight for s in self.sources])
        source = self.sources[int(random.choice(len(weights), p=weights / weights.sum()))]
        for _ in range(20):
            if source.name[0] == "_":
                found = self._made(source, size * 2, random)
            else:
                items = self.items[source.name]
                found = real_scene(items[int(random.integers(len(items)))], random)
            if found is not None:
                return found
        return self.scene(size, random)

    def _any_photo(self, random: Generator) -> Photo:
        if self.backgrounds and random.random() < 0.5:
            return _decode_rgb(self.backgrounds[int(random.integers(len(self.backgrounds)))])
        return _decode_rgb(self.everything[int(random.integers(len(self.everything)))].photo)

    def _made(self, source: Source, size: int, random: Generator) -> Scene | None:
        background = synthesize.texture(self._any_photo(random), size, random)
        if source.name == "_shapes":
            alpha = synthesize.shape(size, random)
            colour = synthesize.texture(self._any_photo(random), size, random)
            colour = synthesize.shade(colour, random)
        else:
            cutout = self._cutout(source, random)
            if cutout is None:
                return None
            colour, alpha = synthesize.place(cutout, size, random)
        if (alpha > 0.5).sum() < 2 * MINIMUM_EXTENT**2:
            return None
        return Scene(
            photo=synthesize.paste(colour, alpha, background, random),
            truth=(alpha * 255 + 0.5).astype(np.uint8),
            weight=np.full(alpha.shape, 255, np.uint8),
            coarse=None,
            proposal=None,
            error=source.error,
        )

    def _cutout(self, source: Source, random: Generator) -> Cutout | None:
        if source.name == "_cutouts":
            data = self.cutouts[int(random.integers(len(self.cutouts)))]
            bgra = _decode(data, cv2.IMREAD_UNCHANGED)
            if bgra.ndim < 3 or bgra.shape[2] < 4:
                raise InputError(f"{data.path}: has no alpha; expected a cut-out")
            return Cutout(colour=np.ascontiguousarray(bgra[..., 2::-1]), alpha=bgra[..., 3])
        scene = real_scene(self.exact[int(random.integers(len(self.exact)))], random)
        if scene is None:
            return None
        top, left, bottom, right = box(scene.truth > 128)
        colour = np.ascontiguousarray(scene.photo[top:bottom, left:right])
        return Cutout(colour=colour, alpha=scene.truth[top:bottom, left:right])


def proposal_path(coarse: Path, root: Path, proposals: Path) -> Path:
    """Where the proposal of a coarse mask `<id>_seg_*.png` under `root` lies."""
    return proposals / coarse.relative_to(root).with_name(
        coarse.name.replace("_seg_", "_proposal_")
    )


def box(mask: NDArray[np.bool_]) -> tuple[int, int, int, int]:
    """(top, left, bottom, right) of a mask that is not empty, ends exclusive."""
    rows, columns = np.flatnonzero(mask.any(1)), np.flatnonzero(mask.any(0))
    return int(rows[0]), int(columns[0]), int(rows[-1]) + 1, int(columns[-1]) + 1


def surroundings(mask: NDArray[np.bool_], margin: float) -> tuple[slice, slice]:
    """A mask's box with room around it, a share of its longer side; cut it from the photo."""
    top, left, bottom, right = box(mask)
    room = max(8, round(margin * max(bottom - top, right - left)))
    return slice(max(0, top - room), bottom + room), slice(max(0, left - room), right + room)


def _pick_labels(labels: Grey, random: Generator, *, void: bool) -> NDArray[np.bool_] | None:
    """One label, one connected piece of it, or a union of two, as an object."""
    values = np.unique(labels)
    values = values[values > 0] if void or len(values) > 1 else values
    if len(values) == 0:
        return None
    count = 2 if len(values) > 2 and random.random() < 0.2 else 1
    mask = np.isin(labels, random.choice(values, count, replace=False))
    if random.random() < 0.7:
        number, pieces, stats, _ = cv2.connectedComponentsWithStats(mask.astype(np.uint8))
        if number > 2:
            areas = stats[1:, cv2.CC_STAT_AREA].astype(np.float64)
            mask = pieces == 1 + int(random.choice(number - 1, p=areas / areas.sum()))
    return np.asarray(mask)


def real_scene(item: Item, random: Generator) -> Scene | None:
    """An object of a photo of a set; None where the draw is too small or fills the photo."""
    photo = _decode_rgb(item.photo)
    valid = np.full(photo.shape[:2], 255, np.uint8)
    if item.truth is not None:
        truth = _decode_beside(item.truth, photo, cv2.IMREAD_GRAYSCALE)
    elif item.labels is not None:
        labels = _decode_beside(item.labels, photo, cv2.IMREAD_UNCHANGED)
        mask = _pick_labels(labels, random, void=item.source.void)
        if mask is None:
            return None
        truth = mask.astype(np.uint8) * 255
        if item.source.void:
            valid[labels == 0] = 0
    else:
        return None
    inside = truth > 128
    share = float(inside.mean())
    if inside.sum() < MINIMUM_EXTENT**2 or share > 0.85:
        return None
    if item.source.error > 0.8:
        # Hand-drawn truths lie outside the edge more often than inside: they teach no edge at all.
        valid[np.abs(coarsen.signed_distance(inside)) < item.source.error] = 0
    coarse = proposal = None
    if item.coarse and random.random() < REAL_SHARE:
        pick = int(random.integers(len(item.coarse)))
        rough = _decode_beside(item.coarse[pick], photo, cv2.IMREAD_GRAYSCALE)
        coarse = (rough > 128).astype(np.uint8) * 255
        soft = item.proposals[pick]
        if soft and random.random() < PROPOSAL_SHARE:
            one = soft[int(random.integers(len(soft)))]
            proposal = _decode_beside(one, photo, cv2.IMREAD_GRAYSCALE)
    return Scene(
        photo=photo,
        truth=truth,
        weight=valid,
        coarse=coarse,
        proposal=proposal,
        error=item.source.error,
    )


def _cut(
    image: NDArray[np.uint8], window: tuple[float, float, float], size: int, border: int
) -> Photo:
    """The square (centre y, centre x, side) of an image at size x size.

    Outside the image: `border` is cv2.BORDER_REPLICATE, or cv2.BORDER_CONSTANT for zeros.
    """
    y, x, side = window
    top, left, span = round(y - side / 2), round(x - side / 2), max(2, round(side))
    height, width = image.shape[:2]
    pad = max(0, -top, -left, top + span - height, left + span - width)
    if pad:
        y0, x0 = max(0, top), max(0, left)
        y1, x1 = min(height, top + span), min(width, left + span)
        inner = image[y0:y1, x0:x1]
        borders = (y0 - top, top + span - y1, x0 - left, left + span - x1)
        crop = cv2.copyMakeBorder(inner, *borders, border)
    else:
        crop = image[top : top + span, left : left + span]
    how = cv2.INTER_AREA if span > size else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(crop, (size, size), interpolation=how))


def _shift_inside(centre: float, side: float, length: int) -> float:
    """Move a window so that it stays inside the photo where it can."""
    if side >= length:
        return length / 2
    return float(np.clip(centre, side / 2, length - side / 2))


def _edge_point(mask: NDArray[np.bool_], random: Generator) -> tuple[int, int] | None:
    edge = cv2.morphologyEx(mask.astype(np.uint8), cv2.MORPH_GRADIENT, np.ones((3, 3), np.uint8))
    rows, columns = np.nonzero(edge)
    if len(rows) == 0:
        return None
    pick = int(random.integers(len(rows)))
    return int(rows[pick]), int(columns[pick])


def jitter(photo: Photo, random: Generator) -> Photo:
    """Colour, focus, noise and compression as photos differ in them."""
    ramp = np.arange(256, dtype=np.float32) / 255
    tables = []
    contrast, light, gamma = random.uniform(0.7, 1.3), random.normal(0, 0.07), random.normal(0, 0.2)
    for _ in range(3):
        curve = np.clip(ramp, 0, 1) ** np.exp(gamma + random.normal(0, 0.06))
        curve = (curve - 0.5) * contrast + 0.5 + light + random.normal(0, 0.02)
        tables.append(np.clip(curve * 255, 0, 255).astype(np.uint8))
    photo = np.asarray(cv2.LUT(photo, np.stack(tables, -1)[None]))
    if random.random() < 0.35:
        grey = cv2.cvtColor(cv2.cvtColor(photo, cv2.COLOR_RGB2GRAY), cv2.COLOR_GRAY2RGB)
        share = random.uniform(-0.4, 1.0)
        photo = np.asarray(cv2.addWeighted(photo, 1 - share, grey, share, 0))
    if random.random() < 0.2:
        photo = np.asarray(cv2.GaussianBlur(photo, (0, 0), random.uniform(0.4, 1.8)))
    if random.random() < 0.2:
        noise = np.empty((*photo.shape[:2], 3), np.int16)
        strength = float(random.uniform(2, 14))
        cv2.randn(noise, np.zeros(3), np.full(3, strength))
        photo = np.clip(photo + noise, 0, 255).astype(np.uint8)
    if random.random() < 0.25:
        quality = [cv2.IMWRITE_JPEG_QUALITY, int(random.integers(25, 90))]
        encoded = cv2.imencode(".jpg", photo, quality)[1]
        photo = np.asarray(cv2.imdecode(encoded, cv2.IMREAD_COLOR))
    return photo


def _window(scene: Scene, size: int, random: Generator) -> tuple[tuple[float, float, float], bool]:
    """The first view's square in the photo, and whether it holds the whole object."""
    inside = scene.truth > 128
    area = inside if scene.coarse is None else inside | (scene.coarse > 128)
    if scene.proposal is not None:
        area = area | (scene.proposal > 128)
    top, left, bottom, right = box(area)
    height, width = inside.shape
    whole = max(bottom - top, right - left) * (1 + 2 * random.uniform(0.04, 0.3))
    finest = size / min(1.3, max(0.8, 3.0 / scene.error))
    if random.random() < WHOLE_SHARE or whole <= finest:
        y = (top + bottom) / 2 + random.normal(0, 0.05) * whole
        x = (left + right) / 2 + random.normal(0, 0.05) * whole
        side, is_whole = whole, True
    else:
        point = _edge_point(inside, random) or (height // 2, width // 2)
        side = float(np.exp(random.uniform(np.log(finest), np.log(whole))))
        y, x = point + random.normal(0, 0.15, 2) * side
        is_whole = False
    return (_shift_inside(y, side, height), _shift_inside(x, side, width), side), is_whole


def _turn(images: list[Photo], random: Generator) -> list[Photo]:
    flip, turns = random.random() < 0.5, int(random.random() < 0.12) * int(random.integers(1, 4))
    out = [image[:, ::-1] if flip else image for image in images]
    return [np.ascontiguousarray(np.rot90(image, turns)) for image in out]


def _half(image: NDArray[np.uint8]) -> Photo:
    size = (image.shape[1] // 2, image.shape[0] // 2)
    return np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_AREA))


def _masks(views: dict[str, Photo], random: Generator, *, whole: bool) -> tuple[Grey, Grey | None]:
    """Coarse mask at the canvas's size, and a soft prior at half of it for windows."""
    truth = _half(views["truth"]) > 128
    if "coarse" in views and whole:
        prior = _half(views["proposal"]) if "proposal" in views else None
        return np.where(views["coarse"] > 128, 255, 0).astype(np.uint8), prior
    photo = _half(views["photo"])
    rough = coarsen.coarsen(truth, photo, random).astype(np.uint8) * 255
    size = views["truth"].shape[::-1]
    large = cv2.resize(rough, size, interpolation=cv2.INTER_LINEAR)
    coarse = np.where(large > 127, 255, 0).astype(np.uint8)
    if whole:
        return coarse, None
    base = coarsen.coarsen(truth, photo, random) if random.random() < 0.2 else truth
    prior = (coarsen.soften(base, random) * 255).astype(np.uint8)
    return coarse, prior


def draw(library: Library, size: int, random: Generator) -> Sample:
    """One sample; arrays uint8: photo HxWx3 RGB, truth/weight/coarse/prior HxW, twice.

    Keys without a number are the first view's; those ending in 1 the second's. `place` is (zoom,
    top, left): the second view is the first's window at (top, left) of side size / zoom.
    """
    scene = library.scene(size, random)
    window, whole = _window(scene, size, random)
    zoom = 2 if window[2] / (2 * size) > 1 / 1.6 else 1
    layers = {"photo": scene.photo, "truth": scene.truth, "weight": scene.weight}
    if scene.coarse is not None:
        layers["coarse"] = scene.coarse
    if scene.proposal is not None:
        layers["proposal"] = scene.proposal
    cuts = []
    for key, image in layers.items():
        border = cv2.BORDER_CONSTANT if key == "weight" else cv2.BORDER_REPLICATE
        cuts.append(_cut(image, window, size * 2, border))
    views = dict(zip(layers, _turn(cuts, random), strict=True))
    views["photo"] = jitter(views["photo"], random)
    views["coarse"], prior = _masks(views, random, whole=whole)
    views.pop("proposal", None)
    first = {key: _half(image) for key, image in views.items()}
    sample: Sample = {**first, "prior": first["coarse"] if prior is None else prior}
    top = left = 0
    if zoom == 2:
        target = first["truth"] if random.random() < 0.75 else first["coarse"]
        point = _edge_point(target > 128, random) or (size // 2, size // 2)
        reach = size // 2
        wander = random.normal(0, reach / 6, 2)
        top, left = (
            int(np.clip(p + w - reach / 2, 0, size - reach))
            for p, w in zip(point, wander, strict=True)
        )
        crop = (slice(2 * top, 2 * top + size), slice(2 * left, 2 * left + size))
        second = {key: np.ascontiguousarray(image[crop]) for key, image in views.items()}
    else:
        second = first
    sample |= {key + "1": image for key, image in second.items()}
    sample["place"] = np.array([zoom, top, left], np.int64)
    return sample


class Samples(IterableDataset[Sample]):
    """Endless samples; the seed and the worker decide all of them."""

    def __init__(self, library: Library, *, size: int, seed: int) -> None:
        super().__init__()
        self.library, self.size, self.seed = library, size, seed

    def __iter__(self) -> Iterator[Sample]:
        """Draw for ever, from a stream of this worker's own."""
        cv2.setNumThreads(1)
        info = torch.utils.data.get_worker_info()
        worker = info.id if info else 0
        random = np.random.default_rng([self.seed, worker])
        cv2.setRNGSeed(int(random.integers(2**31)))
        while True:
            yield draw(self.library, self.size, random)
