"""Refining a label map: every object in a view of its own, then all compete for each pixel."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cache, partial
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np

from edgewise.errors import InputError
from edgewise.images import as_photo
from edgewise.passes.answers import whole
from edgewise.passes.overview import overview_size, rescaled, resized, stacked, to_bytes, up_to
from edgewise.passes.planes import INSIDE, Held, Pyramid
from edgewise.passes.threads import mapped
from edgewise.passes.view import Box
from edgewise.refiner import Refiner
from edgewise.scenes.labels import as_labels
from edgewise.scenes.split import grouped, present, window_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from numpy.typing import ArrayLike, NDArray

    Labels = NDArray[np.integer[Any]]
    Photo = NDArray[np.uint8]
    Soft = NDArray[np.float32]
    Mask = NDArray[np.bool_]

    Size = tuple[int, int]


@dataclass(frozen=True, kw_only=True)
class SceneSettings:
    """Choices for label maps, beside the refiner's own.

    Attributes:
        small: pieces of at most so many pixels keep their label; no other takes their pixels.
        lead: by how much another label's probability has to exceed the coarse label's.
        margin: room around a piece, as a share of its longer side.
        trust: log-odds of the coarse label far from its edge; see `passes.settle`. Less than for
            one object alone, as here the neighbours' claims hold an object back.
        most_proposed: so many pieces, the largest, are proposed whole objects for, if the refiner
            has a proposal network; about 0.3 s each. None with `overview_only`.
        proposed_share: pieces of a smaller share of the photo are proposed nothing.
        exact: in place of the refiner's own: a coarse map is rough everywhere, so a piece comes
            back as it is only where its contour has all of the refined one's strength.
        single: views up to this longer side are seen whole, at their own size; larger ones as the
            refiner does it, by an overview and edge passes.
        looks: how often views are seen at most that are seen whole, each time with the answer
            before,
        still: but no more once a look moved fewer pixels than this share of the edge's.
        enlarged: the first of these looks is so much larger, up to `single`.
        overview_only: one look at each view, larger ones at the overview's size: fast, edges as
            exact as a small picture's.
        batch_pixels: pixels that the network sees in one run; bounds memory.
    """

    small: int = 144
    lead: float = 0.03
    margin: float = 0.4
    trust: float = 1.0
    most_proposed: int = 8
    proposed_share: float = 0.01
    exact: float = 1.0
    single: int = 448
    looks: int = 3
    still: float = 0.5
    enlarged: float = 1.75
    overview_only: bool = False
    batch_pixels: int = 4 * 384 * 384

    def __post_init__(self) -> None:
        """Refuse what cannot work."""
        if self.small < 0 or self.margin < 0 or not 0 <= self.lead < 1:
            raise InputError(
                f"small {self.small}, margin {self.margin}, lead {self.lead}: they must be at "
                "least 0, at least 0, and in [0, 1)"
            )
        if self.most_proposed < 0 or not 0 <= self.proposed_share <= 1:
            raise InputError(
                f"most_proposed {self.most_proposed}, proposed_share {self.proposed_share}: they "
                "must be at least 0, and in 0..1"
            )
        if self.looks < 1 or self.enlarged < 1 or self.batch_pixels < 1 or self.still < 0:
            raise InputError(
                f"looks {self.looks}, enlarged {self.enlarged}, batch_pixels "
                f"{self.batch_pixels}, still {self.still}: must be at least 1, 1, 1 and 0"
            )


@dataclass(frozen=True)
class Claim:
    """What one piece of a label claims: float32 in 0..1 of the box's size."""

    label: int
    box: Box
    soft: Soft


def refine_labels(
    photo: ArrayLike,
    labels: ArrayLike,
    *,
    void: int | None = 0,
    refiner: Refiner | None = None,
    settings: SceneSettings | None = None,
) -> NDArray[Any]:
    """Refine a label map: every pixel keeps exactly one label, and edges follow the photo.

    Each piece of each label is refined in its own view. A pixel changes to another label where
    that one's probability exceeds the coarse label's own by the settings' `lead`: along a shared
    edge both objects are asked, each about itself, and one answer is given, whatever the order of
    labels. A label is never new, and reaches no further than the views of its pieces.

    Args:
        photo: uint8 HxWx3 RGB (HxW grey and HxWx4 are taken as well).
        labels: integers HxW.
        void: the label that is none: its pixels stay, and no pixel becomes void. None where all
            labels are objects.
        refiner: the network and its settings; by default the package's own.
        settings: choices for label maps.

    Returns:
        Integers HxW of the type of `labels`.

    Raises:
        InputError: an array of another form, or sizes that differ.
    """
    picture = as_photo(photo)
    coarse = as_labels(labels, (picture.shape[0], picture.shape[1]))
    choices = settings or SceneSettings()
    return compete(
        coarse,
        claims(refiner or _default(), picture, coarse, void=void, settings=choices),
        lead=choices.lead,
    )


@cache
def _default() -> Refiner:
    return Refiner.open()


def compete(coarse: Labels, found: Iterable[Claim], *, lead: float) -> NDArray[Any]:
    """The joint settlement of all claims.

    With a the probability that the coarse label's own piece gives a pixel, and b the highest that
    pieces of other labels give it, the pixel changes where b - a > lead. That is the mean of the
    two opinions on "it is b's", b and 1 - a, above (1 + lead) / 2. A pixel on which its own label
    makes no claim keeps it.

    Claims are taken one at a time and leave two maps of probabilities, so that hundreds need no
    more memory than two. Of equal claims the first stays.

    Args:
        coarse: integers HxW.
        found: the claims.
        lead: in [0, 1).
    """
    own = np.full(coarse.shape, -1, np.float32)  # no claim of its own yet
    best = np.zeros(coarse.shape, np.float32)
    winner = coarse.copy()
    for claim in found:
        here = claim.box.slices
        mine = coarse[here] == claim.label
        np.maximum(own[here], claim.soft, out=own[here], where=mine)
        ahead = (claim.soft > best[here]) & ~mine
        np.copyto(best[here], claim.soft, where=ahead)
        np.copyto(winner[here], claim.label, where=ahead)
    best -= own
    return np.where((own >= 0) & (best > np.float32(lead)), winner, coarse)


@dataclass(frozen=True)
class _Piece:
    """One piece of a label: its number in the map of pieces, view, first pixel and pixels."""

    label: int
    number: int
    view: Box
    first: int
    area: int


def claims(
    refiner: Refiner,
    photo: Photo,
    labels: Labels,
    *,
    void: int | None = 0,
    settings: SceneSettings | None = None,
) -> Iterator[Claim]:
    """Each piece's soft mask in its view.

    The overviews of pieces whose views have one size and form run through the network together.
    The order depends on where pieces lie, not on their labels.

    Args:
        refiner: the network and its settings.
        photo: uint8 HxWx3 RGB.
        labels: integers HxW.
        void: the label that is none.
        settings: choices for label maps.
    """
    choices = settings or SceneSettings()
    # Without the judge, which learned from masks of one object: it gained nothing here.
    refiner = refiner.with_settings(exact=choices.exact, exact_overlap=0.0, gain_least=0.0)
    numbers, pieces = _pieces(labels, void, choices)
    large = _large(pieces, labels.size, choices)

    def look_at(refiner: Refiner, alike: tuple[Size, list[_Piece]]) -> list[Claim]:
        size, group = alike
        looks = [_look(photo, numbers, piece) for piece in group]
        proposed = [
            refiner.proposal(look.photo, look.coarse) if piece.number in large else None
            for piece, look in zip(group, looks, strict=True)
        ]
        answers = _overviews(refiner, looks, proposed, size)
        return [
            Claim(
                piece.label,
                piece.view,
                _settled(refiner, piece, look, whole_object, first, choices),
            )
            for piece, look, whole_object, first in zip(
                group, looks, proposed, answers, strict=True
            )
        ]

    small = [piece for piece in pieces if _seen_whole(piece.view, choices)]
    # Small pieces get a core each: cores that share one wait for each other at every layer. Large
    # ones keep all cores busy by their tiles.
    alone = partial(look_at, refiner.on_one_core())
    for found in mapped(alone, _alike(refiner, small, choices), refiner.threads):
        yield from found
    others = [piece for piece in pieces if not _seen_whole(piece.view, choices)]
    for group in _alike(refiner, others, choices):
        yield from look_at(refiner, group)


@dataclass(frozen=True)
class _Look:
    """A piece's view of the photo, and its coarse mask there in 0 and 255."""

    photo: Pyramid
    coarse: Pyramid


def _look(photo: Photo, numbers: NDArray[np.int32], piece: _Piece) -> _Look:
    here = piece.view.slices
    rough = np.where(numbers[here] == piece.number, 255, 0).astype(np.uint8)
    return _Look(Pyramid(Held(photo[here])), Pyramid(Held(rough)))


def _large(pieces: list[_Piece], pixels: int, settings: SceneSettings) -> set[int]:
    """The numbers of the pieces for which whole objects are proposed."""
    most = 0 if settings.overview_only else settings.most_proposed
    largest = sorted(pieces, key=lambda piece: (-piece.area, piece.first))[:most]
    least = settings.proposed_share * pixels
    return {piece.number for piece in largest if piece.area >= least}


def _pieces(
    labels: Labels, void: int | None, settings: SceneSettings
) -> tuple[NDArray[np.int32], list[_Piece]]:
    """A map HxW of which piece a pixel belongs to (0: none), and the pieces.

    Pixels of pieces that are too small belong to none.
    """
    numbers = np.zeros(labels.shape, np.int32)
    pieces: list[_Piece] = []
    for label in present(labels, void):
        inside = labels == label
        window = window_of(inside)
        inside = np.ascontiguousarray(inside[window.slices])
        boxes, groups = grouped(inside)
        for group, box in enumerate(boxes, start=1):
            mask = inside[box.slices] & (groups[box.slices] == group)
            if np.count_nonzero(mask) <= settings.small:
                continue
            corner = (window.top + box.top, window.left + box.left)
            piece = _piece((label, len(pieces) + 1), mask, corner, labels.shape, settings.margin)
            numbers[_placed(mask, corner)][mask] = piece.number
            pieces.append(piece)
    return numbers, pieces


def _placed(mask: Mask, corner: tuple[int, int]) -> tuple[slice, slice]:
    """Where a cut-out with this top left corner lies."""
    (top, left), (height, width) = corner, mask.shape
    return slice(top, top + height), slice(left, left + width)


def _piece(
    key: tuple[int, int],
    mask: Mask,
    corner: tuple[int, int],
    shape: tuple[int, ...],
    margin: float,
) -> _Piece:
    left, top, width, height = cv2.boundingRect(mask.view(np.uint8))
    first_column = corner[1] + left + int(mask[top, left : left + width].argmax())
    top, left = corner[0] + top, corner[1] + left
    room = max(8, round(margin * max(height, width)))
    view = Box(top, left, top + height, left + width).grown(room, (shape[0], shape[1]))
    first = top * shape[1] + first_column
    return _Piece(*key, view, first, int(np.count_nonzero(mask)))


def _alike(
    refiner: Refiner, pieces: list[_Piece], settings: SceneSettings
) -> Iterator[tuple[Size, list[_Piece]]]:
    """Pieces in groups that fit into one run of the network, with the size of their overviews."""
    alike: dict[Size, list[_Piece]] = {}
    for piece in sorted(pieces, key=lambda piece: piece.first):
        alike.setdefault(_look_size(refiner, piece.view, settings), []).append(piece)
    for size, group in sorted(alike.items()):
        most = max(1, settings.batch_pixels // (size[0] * size[1]))
        for start in range(0, len(group), most):
            yield size, group[start : start + most]


def _look_size(refiner: Refiner, view: Box, settings: SceneSettings) -> Size:
    """Height and width at which a view is first looked at."""
    stride, longer = refiner.engine.stride, max(view.height, view.width)
    most, larger = refiner.settings.overview_side, 1.0
    if _seen_whole(view, settings):
        most, larger = min(most, settings.single), settings.enlarged
    side = math.ceil(min(most, larger * longer))
    return overview_size((view.height, view.width), up_to(side, stride), stride)


def _seen_whole(view: Box, settings: SceneSettings) -> bool:
    """Whether a view is small enough to be seen whole at its own size."""
    return max(view.height, view.width) <= settings.single


def _overviews(
    refiner: Refiner, looks: list[_Look], proposed: list[Soft | None], size: Size
) -> NDArray[np.float32]:
    """The overviews of pieces of one size together, float32 (N, height, width)."""
    views = []
    for look, prior in zip(looks, proposed, strict=True):
        small = resized(look.coarse.whole(0), size)
        first = small
        if prior is not None:
            first = to_bytes(rescaled(refiner.prior(look.coarse, prior), size))
        views.append(stacked(resized(look.photo.whole(0), size), first, small))
    batch = np.stack(views)
    answers: NDArray[np.float32] = refiner.engine(batch)
    for _ in range(refiner.settings.overview_rounds - 1):
        batch[:, 3] = to_bytes(answers.reshape(len(batch), -1)).reshape(answers.shape)
        answers = refiner.engine(batch)
    return answers


def _settled(
    refiner: Refiner,
    piece: _Piece,
    look: _Look,
    proposed: Soft | None,
    soft: Soft,
    settings: SceneSettings,
) -> Soft:
    """From a piece's overview to its soft mask at the view's own size."""
    whole_at_once = _seen_whole(piece.view, settings)
    if whole_at_once and not settings.overview_only:
        soft = _seen_again(refiner, look, soft, settings.looks - 1, still=settings.still)
    answer = refiner.finished(
        look.photo,
        look.coarse,
        soft,
        proposed=proposed,
        trust=settings.trust,
        overview_only=whole_at_once or settings.overview_only,
    )
    if answer is None:
        return (look.coarse.whole(0) > INSIDE).astype(np.float32)
    return whole(answer)


def _seen_again(refiner: Refiner, look: _Look, soft: Soft, times: int, *, still: float) -> Soft:
    """The answer after at most so many further looks at the view's own size."""
    if not times:
        return soft
    stride, (height, width) = refiner.engine.stride, look.photo.plane.shape
    size = up_to(height, stride), up_to(width, stride)
    small, coarse = resized(look.photo.whole(0), size), resized(look.coarse.whole(0), size)
    soft = rescaled(soft, size)
    for _ in range(times):
        before = soft
        soft = refiner.engine(stacked(small, to_bytes(before), coarse)[None])[0]
        if _moved(before > 0.5, soft > 0.5) < still:
            break
    return soft


def _moved(before: Mask, after: Mask) -> float:
    """Pixels that changed, as a share of those that the edge before went by."""
    sides = before[1:] != before[:-1], before[:, 1:] != before[:, :-1]
    edge = sum(int(np.count_nonzero(side)) for side in sides)
    return int(np.count_nonzero(before != after)) / max(1, edge)
