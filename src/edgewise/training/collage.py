"""Make photos of cut-outs over others, with exact truth and real networks' coarse masks.

Sets with exact truth hold few objects; cut-outs are many. Unlike the composites that are made while
training runs, these are whole photos with neighbours, shadows and objects in front, which a real
network masked and the proposal network looked at (propose.py).
"""

import argparse
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import product
from pathlib import Path

import cv2
import numpy as np
import onnxruntime
from numpy.random import Generator
from numpy.typing import NDArray

from edgewise.errors import InputError, ModelError
from edgewise.files import make_folder
from edgewise.passes.proposal import overlap
from edgewise.training import command
from edgewise.training.coarsen import coarsen
from edgewise.training.data import box, write_picture
from edgewise.training.synthesize import Cutout, Photo

Mask = NDArray[np.bool_]
Floats = NDArray[np.float32]
Masker = Callable[[Photo], Mask]

SIDES = (480, 560, 640, 800)
REAL_IOU = (0.65, 0.985)  # a network's mask of this IoU with the truth is a coarse mask of it
SIMULATED_IOU = 0.5
SMALLEST = 900  # pixels of an object
SMALLEST_CUTOUT, NARROWEST = 3000, 40  # pixels, of area and across
FAINT, FULL = 20, 0.9  # alpha up to which nothing is seen; share of a picture that is no cut-out
BRIGHTEST = 4.0  # times as bright as it was rendered
HIDDEN = 0.35  # what covers more of the object than this is left out
NEIGHBOURS = (0, 0, 1, 1, 2)
BEHIND = 0.75  # share of the neighbours that stand behind the object
CROPPED = 0.25  # opaque share of the last row from which on a cut-out was cut off there


@dataclass(frozen=True, kw_only=True)
class Layer:
    """An object on a canvas: colour float32 HxWx3 RGB 0..255 times alpha, alpha float32 HxW."""

    colour: Floats
    alpha: Floats


@dataclass(frozen=True, kw_only=True)
class Picture:
    """What a training folder holds of one photo; uint8 HxWx3 RGB, HxW 0..255, and masks HxW."""

    photo: Photo
    truth: NDArray[np.uint8]
    coarse: dict[str, Mask]


def read_cutout(path: Path) -> Cutout | None:
    """A picture's object, cut to it; None where the picture is no cut-out.

    It is one with alpha, some of it clear, and an object of some size.

    Raises:
        InputError: it cannot be read.
    """
    bgra = cv2.imread(str(path), cv2.IMREAD_UNCHANGED)
    if bgra is None:
        raise InputError(f"{path}: cannot be read as a picture")
    if bgra.ndim < 3 or bgra.shape[2] < 4 or bgra.dtype != np.uint8:
        return None
    seen = bgra[..., 3] > FAINT
    if seen.mean() > FULL or np.count_nonzero(seen) < SMALLEST_CUTOUT:
        return None
    top, left, bottom, right = box(seen)
    bgra = bgra[top:bottom, left:right]
    colour, alpha = np.asarray(bgra[..., 2::-1], np.uint8), np.asarray(bgra[..., 3], np.uint8)
    return Cutout(colour=np.ascontiguousarray(colour), alpha=alpha)


def matte(on_black: Floats, on_white: Floats, random: Generator) -> NDArray[np.uint8] | None:
    """A cut-out of a rendered view, seen before black and before white.

    Args:
        on_black: float32 HxWx3 RGB in 0..255, as the colours times alpha.
        on_white: likewise; where it is brighter, the ground is seen.
        random: draws how bright it is.

    Returns:
        uint8 HxWx4 BGRA at half the size, cut to the object; None where there is little of it.
    """
    size = (on_black.shape[1] // 2, on_black.shape[0] // 2)
    alpha = np.clip(1 - (on_white - on_black).mean(2) / 255, 0, 1)
    alpha = np.asarray(cv2.resize(alpha, size, interpolation=cv2.INTER_AREA))
    colour = cv2.resize(on_black, size, interpolation=cv2.INTER_AREA)
    colour = colour / np.maximum(alpha, 0.05)[..., None]
    seen, solid = alpha > 0.02, alpha > 0.9
    if np.count_nonzero(seen) < SMALLEST_CUTOUT or alpha[seen].mean() < 0.5 or not solid.any():
        return None
    top, left, bottom, right = box(seen)
    light = np.percentile(colour[solid].mean(1), 95)
    if min(bottom - top, right - left) < NARROWEST or light < 6:
        return None
    gain = min(BRIGHTEST, random.uniform(110, 250) / light)
    bgra = np.dstack([colour[..., ::-1] * gain, alpha * 255])
    return np.asarray(np.clip(bgra, 0, 255), np.uint8)[top:bottom, left:right]


def place(
    cutout: Cutout,
    canvas: tuple[int, int],
    scale: float,
    random: Generator,
    centre: NDArray[np.float64] | None = None,
) -> Layer:
    """A cut-out on a canvas, mirrored or turned at times.

    Args:
        cutout: what to place.
        canvas: rows and columns.
        scale: its longer side, in the canvas's shorter one.
        random: decides the rest.
        centre: row and column of its middle; anywhere by default, and at the canvas's last row
            where the cut-out was cut off below.
    """
    alpha = np.asarray(cutout.alpha / np.float32(255), np.float32)
    # Times alpha before it is scaled and turned: no colour from outside comes in at the edge.
    colour = np.asarray(cutout.colour * alpha[..., None], np.float32)
    if random.random() < 0.5:
        alpha, colour = alpha[:, ::-1], colour[:, ::-1]
    factor = scale * min(canvas) / max(alpha.shape)
    size = [max(8, round(length * factor)) for length in alpha.shape[::-1]]
    how = cv2.INTER_AREA if factor < 1 else cv2.INTER_CUBIC
    alpha = np.asarray(cv2.resize(alpha, size, interpolation=how), np.float32).clip(0, 1)
    colour = np.asarray(cv2.resize(colour, size, interpolation=how), np.float32).clip(0, 255)
    turned = random.random() < 0.5
    if turned:
        alpha, colour = _turned(alpha, random.normal(0, 15), colour)
    (height, width), (rows, columns) = alpha.shape, canvas
    if centre is not None:
        top, left = (round(float(c) - n / 2) for c, n in zip(centre, alpha.shape, strict=True))
    else:
        top, left = _anywhere(height, rows, random), _anywhere(width, columns, random)
        if not turned and (cutout.alpha[-1] > 127).mean() > CROPPED:
            top = rows - height
    move = np.array([[1, 0, left], [0, 1, top]], np.float32)
    return Layer(
        colour=_warped(colour, move, (columns, rows)), alpha=_warped(alpha, move, (columns, rows))
    )


def _warped(image: Floats, move: NDArray[np.floating], size: tuple[int, int]) -> Floats:
    return np.asarray(cv2.warpAffine(image, move, size), np.float32)


def _turned(alpha: Floats, degrees: float, colour: Floats) -> tuple[Floats, Floats]:
    height, width = alpha.shape
    turn = np.asarray(cv2.getRotationMatrix2D((width / 2, height / 2), degrees, 1), np.float64)
    cosine, sine = abs(turn[0, 0]), abs(turn[0, 1])
    size = (int(height * sine + width * cosine) + 2, int(height * cosine + width * sine) + 2)
    turn[:, 2] += (size[0] - width) / 2, (size[1] - height) / 2
    return _warped(alpha, turn, size), _warped(colour, turn, size)


def _anywhere(length: int, room: int, random: Generator) -> int:
    """Where to begin so that most of it is inside, or so that it fills the room."""
    if length > room:
        return -int((length - room) * random.random())
    return int(random.uniform(-0.05 * length, max(1.0, room - 0.95 * length)))


def _toned(layer: Layer, surroundings: Floats, random: Generator) -> Layer:
    """Colours moved towards those of the surroundings, by a random share."""
    inside = layer.alpha > 0.5
    if not inside.any():
        return layer
    share = random.uniform(0, 0.6)
    own, other = layer.colour[inside].mean(0), surroundings.mean((0, 1))
    gain = np.clip(1 + share * ((other + 20) / (own + 20) - 1), 0.5, 1.7)
    colour = np.clip(layer.colour * gain * random.uniform(0.85, 1.15), 0, 255)
    return Layer(colour=colour.astype(np.float32), alpha=layer.alpha)


def _over(photo: Floats, layer: Layer, shadow: float, random: Generator) -> Floats:
    """A layer over a photo, with a drop shadow in a share of the cases."""
    if random.random() < shadow:
        move = np.array([[1, 0, random.normal(0, 12)], [0, 1, abs(random.normal(0, 12))]])
        cast = cv2.warpAffine(layer.alpha, move.astype(np.float32), photo.shape[1::-1])
        cast = cv2.GaussianBlur(cast, (0, 0), random.uniform(3, 20))
        photo = photo * (1 - np.float32(random.uniform(0.2, 0.6)) * cast[..., None])
    return np.asarray(photo * (1 - layer.alpha[..., None]) + layer.colour, np.float32)


def _ground(photo: Photo, random: Generator) -> Floats:
    """A part of a photo as background, at times out of focus; float32 HxWx3."""
    rows, columns = 640, int(random.choice(SIDES))
    if random.random() < 0.5:
        rows, columns = columns, rows
    factor = max(rows / photo.shape[0], columns / photo.shape[1]) + 1e-3
    if random.random() < 0.5:
        factor *= random.uniform(1, 1.6)
    how = cv2.INTER_AREA if factor < 1 else cv2.INTER_CUBIC
    large = cv2.resize(photo, None, fx=factor, fy=factor, interpolation=how)
    top = int(random.integers(large.shape[0] - rows + 1))
    left = int(random.integers(large.shape[1] - columns + 1))
    ground = large[top : top + rows, left : left + columns].astype(np.float32)
    if random.random() < 0.3:
        return np.asarray(cv2.GaussianBlur(ground, (0, 0), random.uniform(0.8, 4)), np.float32)
    return np.asarray(ground)


def picture(
    cutout: Cutout,
    others: Callable[[], Cutout],
    background: Photo,
    maskers: dict[str, Masker],
    random: Generator,
) -> Picture | None:
    """One photo with the cut-out in it, and others behind or before it.

    Args:
        cutout: the object.
        others: gives a neighbour each time.
        background: uint8 HxWx3 RGB.
        maskers: real networks by name: uint8 HxWx3 RGB to a mask HxW of all that they find.
        random: decides all but what those give.

    Returns:
        None where too little of the object is to be seen or no mask comes near it.
    """
    ground = _ground(background, random)
    canvas = (ground.shape[0], ground.shape[1])
    main = place(cutout, canvas, random.uniform(0.4, 1.05), random)
    rows, columns = np.nonzero(main.alpha > 0.5)
    if len(rows) < SMALLEST:
        return None
    before: list[Layer] = []
    photo, truth = ground, main.alpha
    for _ in range(int(random.choice(NEIGHBOURS))):
        beside = int(random.integers(len(rows)))
        centre = np.array([rows[beside], columns[beside]]) + random.normal(0, 60, 2)
        layer = place(others(), canvas, random.uniform(0.25, 0.8), random, centre)
        layer = _toned(layer, ground, random)
        if random.random() < BEHIND:
            photo = _over(photo, layer, 0.5, random)
        elif (layer.alpha * truth).sum() < HIDDEN * truth.sum():
            before.append(layer)
            truth = truth * (1 - layer.alpha)
    photo = _over(photo, _toned(main, ground, random), 0.6, random)
    for layer in before:
        photo = _over(photo, layer, 0, random)
    inside = truth > 0.5
    if np.count_nonzero(inside) < SMALLEST:
        return None
    levels = np.clip(photo, 0, 255).astype(np.uint8)
    if random.random() < 0.6:
        levels = np.asarray(cv2.GaussianBlur(levels, (0, 0), random.uniform(0.35, 0.8)))
    coarse = _coarse(levels, inside, maskers, random)
    if not coarse:
        return None
    return Picture(photo=levels, truth=(truth * 255 + 0.5).astype(np.uint8), coarse=coarse)


def _coarse(
    photo: Photo, inside: Mask, maskers: dict[str, Masker], random: Generator
) -> dict[str, Mask]:
    """The networks' masks that mean the object, and one or two made from its truth."""
    found = {name: masker(photo) for name, masker in maskers.items()}
    lowest, highest = REAL_IOU
    found = {name: m for name, m in found.items() if lowest < overlap(m, inside) < highest}
    for number in range(1 if found else 2):
        made = coarsen(inside, photo, random)
        if overlap(made, inside) > SIMULATED_IOU:
            found[f"made{number}"] = made
    return found


def u2net(path: Path) -> Masker:
    """U2Net's or U2Net-p's salient object, of an ONNX file with an input of 320x320.

    Raises:
        ModelError: it cannot be opened.
    """
    session = _session(path)

    def mask(photo: Photo) -> Mask:
        small = cv2.resize(photo, (320, 320), interpolation=cv2.INTER_AREA).astype(np.float32)
        scaled = (small / max(1.0, float(small.max())) - (0.485, 0.456, 0.406)) / (
            0.229,
            0.224,
            0.225,
        )
        views = scaled.transpose(2, 0, 1)[None].astype(np.float32)
        answer = session.run(None, {session.get_inputs()[0].name: views})[0][0, 0]
        answer = (answer - answer.min()) / max(1e-6, float(np.ptp(answer)))
        return np.asarray(_large(answer, photo) > 0.5)

    return mask


def deeplab(path: Path) -> Masker:
    """DeepLabV3's objects of all classes, of an ONNX file that takes uint8 and gives labels.

    Raises:
        ModelError: it cannot be opened.
    """
    session = _session(path)

    def mask(photo: Photo) -> Mask:
        factor = 513 / max(photo.shape[:2])
        small = cv2.resize(photo, None, fx=factor, fy=factor, interpolation=cv2.INTER_AREA)
        labels = session.run(None, {session.get_inputs()[0].name: small[None]})[0][0]
        return np.asarray(_large((labels > 0).astype(np.float32), photo) > 0.5)

    return mask


def _session(path: Path) -> onnxruntime.InferenceSession:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    try:
        return onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    except Exception as error:  # of many kinds, all of the runtime's own
        raise ModelError(f"{path}: cannot be opened as an ONNX file") from error


def _large(answer: Floats, photo: Photo) -> Floats:
    size = photo.shape[1::-1]
    return np.asarray(cv2.resize(answer, size, interpolation=cv2.INTER_LINEAR))


def write(made: Picture, folder: Path, stem: str, random: Generator) -> None:
    """Write the files of one photo, the photo last: what has none counts as not made.

    Raises:
        OutputError: they cannot be written.
    """
    for name, mask in made.coarse.items():
        write_picture(folder / f"{stem}_seg_{name}.png", mask.astype(np.uint8) * 255)
    write_picture(folder / f"{stem}_gt.png", made.truth)
    quality = [cv2.IMWRITE_JPEG_QUALITY, int(random.integers(80, 96))]
    write_picture(folder / f"{stem}_im.jpg", made.photo[..., ::-1], quality)


def _cutout(path: Path) -> Cutout:
    found = read_cutout(path)
    if found is None:
        raise InputError(f"{path}: is no cut-out any more")
    return found


def make(
    cutouts: Sequence[Path],
    backgrounds: Sequence[Path],
    maskers: dict[str, Masker],
    folder: Path,
    *,
    each: int,
) -> None:
    """Make photos of all cut-outs, `each` of every one; goes on where it was stopped.

    Raises:
        InputError: a file cannot be read, no picture is a cut-out, or `each` is less than 1.
        OutputError: files cannot be written.
    """
    if each < 1:
        raise InputError(f"--each must be at least 1, not {each}")
    cutouts = [path for path in cutouts if read_cutout(path)]
    if not cutouts:
        raise InputError("none of the pictures has an object with alpha around it")
    make_folder(folder)
    for number, (path, time) in enumerate(product(cutouts, range(each))):
        stem = f"{path.stem}_{time}"
        if (folder / f"{stem}_im.jpg").exists():
            continue
        random = np.random.default_rng([number, len(cutouts)])
        cv2.setRNGSeed(int(random.integers(2**31)))
        ground = backgrounds[int(random.integers(len(backgrounds)))]
        photo = cv2.imread(str(ground))
        if photo is None:
            raise InputError(f"{ground}: cannot be read as a picture")

        def other(random: Generator = random) -> Cutout:
            return _cutout(cutouts[int(random.integers(len(cutouts)))])

        colours = np.asarray(photo[..., ::-1], np.uint8)
        made = picture(_cutout(path), other, colours, maskers, random)
        if made is not None:
            write(made, folder, stem, random)


def main() -> None:
    """Command line: see --help."""
    parser = argparse.ArgumentParser(description="Make training photos of cut-outs.")
    parser.add_argument("cutouts", type=Path, help="folder of .png or .webp with alpha")
    parser.add_argument("data", type=Path, help="the training folder, for backgrounds")
    parser.add_argument(
        "output", type=Path, help="folder of the new source; continued if it exists"
    )
    parser.add_argument("--each", type=int, default=1, help="photos of every cut-out")
    parser.add_argument("--u2net", type=Path, help="an ONNX file of U2Net or U2Net-p")
    parser.add_argument("--deeplab", type=Path, help="an ONNX file of DeepLabV3")
    options = parser.parse_args()
    cutouts = sorted(p for p in options.cutouts.glob("*") if p.suffix in (".png", ".webp"))
    grounds = [*options.data.glob("_backgrounds/*.jpg")] * 3
    grounds += [*options.data.glob("*_regions/*_im.jpg")]
    for folder, found in ((options.cutouts, cutouts), (options.data, grounds)):
        if not found:
            raise InputError(f"{folder}: holds no pictures for this")
    maskers: dict[str, Masker] = {}
    if options.u2net:
        maskers["u2net"] = u2net(options.u2net)
    if options.deeplab:
        maskers["deeplabv3"] = deeplab(options.deeplab)
    cv2.setNumThreads(1)
    make(cutouts, sorted(grounds), maskers, options.output, each=options.each)


if __name__ == "__main__":
    command.run(main)
