"""Native outputs of networks made into input sets, as the published ones were made."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import cv2
import numpy as np

from edgewise.benchmarks import ade20k, big, pascal
from edgewise.benchmarks.catalog import find_network
from edgewise.benchmarks.inputs.colours import ade20k_colours
from edgewise.benchmarks.inputs.formats import OBJECTS, SCENES, Format
from edgewise.benchmarks.inputs.labels import check_labels, coloured_labels
from edgewise.benchmarks.samples import COARSE, by_name, some
from edgewise.errors import InputError
from edgewise.files import atomic_path
from edgewise.images import photo_size
from edgewise.masks import write_mask

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from numpy.typing import NDArray

    from edgewise.benchmarks.inputs.colours import ColourTable

_WHITE = 255
_ADE_VOID = 255
_ASPECT = 0.03  # networks round sides to their stride, so that aspects differ a little


@dataclass(frozen=True, kw_only=True)
class Options:
    """How to convert.

    Attributes:
        first_label: of ADE20K's classes in label maps, 0 or 1; None to tell it from the maps.
        reference_quirks: resize RefineNet's ADE20K labels as if they were levels, which makes
            labels of others' averages at borders; the reference did.
        colours: the labels of colours in ADE20K's maps; None for the published ones.
    """

    first_label: int | None = None
    reference_quirks: bool = False
    colours: ColourTable | None = None

    def __post_init__(self) -> None:
        if self.first_label not in (None, 0, 1):
            raise InputError(f"the first label is 0 or 1, not {self.first_label}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """One file to make.

    Attributes:
        name: of the sample.
        label: to select; None where the whole label map is wanted.
        photo: whose size the result gets.
        native: the network's output; None where there is none.
        tried: the names by which it was looked for.
        target: the file to make.
    """

    name: str
    label: int | None
    photo: Path
    native: Path | None
    tried: tuple[str, ...]
    target: Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What became of a job: made where `problem` is empty, with a note of what looks odd."""

    name: str
    problem: str = ""
    note: str = ""


def format_of(dataset: str, network: str) -> Format:
    """How a network writes its outputs for a dataset; InputError where it has none."""
    table = SCENES if dataset == "ade20k" else OBJECTS
    return table[find_network(network, dataset).name]


def jobs(dataset: str, network: str, source: Path, photos: Path, output: Path) -> list[Job]:
    """The files to make, one a photo, in the order of names.

    Args:
        dataset: "big", "pascal" or "ade20k".
        network: of `format_of`.
        source: the folder of native outputs.
        photos: the folder of the dataset's photos.
        output: the folder to make.

    Raises:
        InputError: no photo in `photos`, or no native output in `source` at all.
    """
    form = format_of(dataset, network)
    ending = {"big": big.PHOTO, "pascal": pascal.PHOTO, "ade20k": ade20k.PHOTO}[dataset]
    found = some(by_name(photos, ending), photos, ending)
    files = {path.name: path for suffix in form.suffixes for path in _with_suffix(source, suffix)}
    made = [_job(dataset, name, photo, form, files, output) for name, photo in found.items()]
    if not any(job.native for job in made):
        raise InputError(
            f"{source}: no output of {network} for any photo of {photos}; for {made[0].name} one "
            f"of these was expected: {', '.join(made[0].tried)}{_below(source, form)}"
        )
    return made


def settle(work: Iterable[Job], form: Format, options: Options) -> Options:
    """The options with `first_label` told from the label maps, where it is open.

    Classes count from 1 where the label 150 occurs. Else they count from 0 where 0 occurs:
    these networks know no void. Maps in colours say nothing of it, and need not.

    Raises:
        InputError: neither occurs, or an option was given that means nothing for this network's
            files.
    """
    if options.reference_quirks and not form.bilinear:
        raise InputError("--reference-quirks change nothing here: only RefineNet's on ADE20K")
    if options.colours and not form.coloured:
        raise InputError("--colours mean nothing here: only for pictures of ADE20K's labels")
    if not form.counts_from_0:
        if options.first_label is not None:
            raise InputError("--first-label means nothing here: these labels are never shifted")
        return options
    if options.first_label is not None:
        return options
    return replace(options, first_label=_first_label(work, form, options))


def _first_label(work: Iterable[Job], form: Format, options: Options) -> int:
    """The first label of the maps that can be read and are not in colours."""
    has_0 = told = False
    for native in (job.native for job in work):
        try:
            labels = None if native is None else _uncoloured(native, form, options)
        except InputError:
            continue  # `convert` tells it
        if labels is None:
            continue
        if (labels == ade20k.CLASSES).any():
            return 1
        told = True
        has_0 = has_0 or bool((labels == 0).any())
    if told and not has_0:
        raise InputError(
            "the label maps have neither 0 nor 150, so that they may count classes from 0 or from "
            "1; say which by --first-label"
        )
    return 0 if told else 1


def _uncoloured(native: Path, form: Format, options: Options) -> NDArray[np.int32] | None:
    """The label map of a file; None where colours stand for its labels."""
    return form.read(native) if _coloured(native, form, options) is None else None


def _coloured(native: Path, form: Format, options: Options) -> NDArray[np.int32] | None:
    """The label map by colours, 0 void; None where they don't stand for labels."""
    if not form.coloured:
        return None
    return coloured_labels(native, options.colours or ade20k_colours())


def convert(job: Job, form: Format, options: Options) -> Outcome:
    """Make one file; what is wrong with its input is told in the outcome.

    Raises:
        OutputError: the result cannot be written.
    """
    if job.native is None:
        return Outcome(name=job.name, problem=f"missing: none of {', '.join(job.tried)}")
    try:
        width, height = photo_size(job.photo)
        result: NDArray[np.bool_] | NDArray[np.uint8]
        coloured = _coloured(job.native, form, options)
        if coloured is not None:
            options = replace(options, first_label=1)
        labels = _read(job.native, job, form) if coloured is None else coloured
        if job.label is not None:
            result = object_mask(labels, job.label, (height, width), masks=form.masks)
        else:
            result = scene_labels(labels, (height, width), form, options, str(job.native))
    except InputError as error:
        return Outcome(name=job.name, problem=str(error))
    _write(job.target, result)
    return Outcome(name=job.name, note=_odd(labels.shape, (height, width), job))


def object_mask(
    labels: NDArray[np.int32], label: int, shape: tuple[int, int], *, masks: bool = False
) -> NDArray[np.bool_]:
    """One class of a label map as a mask of the photo's size, bool HxW.

    The class as 0 and 1 is resized by OpenCV's bicubic (a = -0.75), and what is above one half is
    the object, as the published input sets were made.

    Args:
        labels: int32 hxw of 0..20 and 255.
        label: the class, 1..20.
        shape: the photo's height and width.
        masks: a map of 0 and 255 alone is a binary mask: 255 is the object.
    """
    chosen = _WHITE if masks and _is_binary(labels) else label
    inside = (labels == chosen).astype(np.float32)
    resized = cv2.resize(inside, shape[::-1], interpolation=cv2.INTER_CUBIC)
    return np.asarray(resized > 0.5)


def scene_labels(
    labels: NDArray[np.int32], shape: tuple[int, int], form: Format, options: Options, name: str
) -> NDArray[np.uint8]:
    """A label map of the photo's size in ADE20K's labels, uint8 HxW: 1..150, 0 void.

    Args:
        labels: int32 hxw; 255 is void, where classes count from 0.
        shape: the photo's height and width.
        form: of the network.
        options: settled by `settle`.
        name: for messages.

    Raises:
        InputError: labels out of range.
    """
    if options.first_label == 0:
        check_labels(labels, {*range(ade20k.CLASSES), _ADE_VOID}, name)
        labels = np.where(labels == _ADE_VOID, 0, labels + 1)
    else:
        check_labels(labels, range(ade20k.CLASSES + 1), name)
    levels = labels.astype(np.uint8)
    if levels.shape == shape:
        return levels
    quirk = options.reference_quirks and form.bilinear
    method = cv2.INTER_LINEAR if quirk else cv2.INTER_NEAREST_EXACT
    return np.asarray(cv2.resize(levels, shape[::-1], interpolation=method), dtype=np.uint8)


def _is_binary(labels: NDArray[np.int32]) -> bool:
    """Whether a map holds white, and black at most beside it."""
    return bool(np.isin(labels, (0, _WHITE)).all() and (labels == _WHITE).any())


def _read(native: Path, job: Job, form: Format) -> NDArray[np.int32]:
    labels = form.read(native)
    if job.label is not None and not form.masks and _is_binary(labels):
        raise InputError(
            f"{native}: is a binary mask, no label map; `edgewise benchmark import` takes such"
        )
    return labels


def _write(target: Path, result: NDArray[np.bool_] | NDArray[np.uint8]) -> None:
    from PIL import Image

    if result.dtype == bool:
        write_mask(target, result.astype(bool))
        return
    with atomic_path(target) as temporary:
        Image.fromarray(result).save(temporary, format="PNG")


def _job(
    dataset: str, name: str, photo: Path, form: Format, files: dict[str, Path], output: Path
) -> Job:
    stems = _stems(dataset, name)
    tried = tuple(stem + suffix for suffix in form.suffixes for stem in stems)
    native = next((files[one] for one in tried if one in files), None)
    if dataset == "ade20k":
        label, target = None, output / f"{name}{ade20k.LABEL_MAP}"
    else:
        label = (big if dataset == "big" else pascal).label_of(name)
        target = output / f"{name}{COARSE}"
    return Job(name=name, label=label, photo=photo, native=native, tried=tried, target=target)


def _stems(dataset: str, name: str) -> list[str]:
    """The names that a photo's output may have, the most telling first.

    Networks name it after the photo's file, the published scripts after the sample or, for
    PASCAL, after PASCAL VOC's photo.
    """
    if dataset == "ade20k":
        return [name]
    stems = [name, f"{name}_seg", f"{name}_im"]
    return [*stems, pascal.voc_id(name)] if dataset == "pascal" else stems


def _with_suffix(folder: Path, suffix: str) -> list[Path]:
    try:
        return [path for path in folder.iterdir() if path.suffix.lower() == suffix]
    except OSError as error:
        raise InputError(f"{folder}: cannot be listed: {error.strerror}") from error


def _below(folder: Path, form: Format) -> str:
    """A hint at folders in a folder that have files of the right kind."""
    for path in sorted(folder.iterdir()):
        if path.is_dir() and any(_with_suffix(path, suffix) for suffix in form.suffixes):
            return f"; perhaps it is {path} that you mean"
    return ""


def _odd(shape: tuple[int, ...], photo: tuple[int, int], job: Job) -> str:
    """What looks odd about a native output's size."""

    def differs(height: int, width: int) -> bool:
        return abs(height * photo[1] / (width * photo[0]) - 1) > _ASPECT

    height, width = shape[0], shape[1]
    if not differs(height, width):
        return ""
    turned = "" if differs(width, height) else ", but does when turned by 90 degrees"
    return (
        f"{job.native}: {width}x{height} has not the aspect of the photo's "
        f"{photo[1]}x{photo[0]}{turned}"
    )
