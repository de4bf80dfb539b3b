"""Draws the pictures of these pages, each from the code of the metric that it shows.

python docs/metrics/pictures.py
"""

from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt

from edgewise import metrics
from edgewise.metrics import bands, boundaries, effort, skeleton

Mask = npt.NDArray[np.bool_]
Picture = npt.NDArray[np.uint8]

FOLDER = Path(__file__).parent
HEIGHT, WIDTH = 300, 400
ZOOM = 2
GAP = 12

# Okabe and Ito's colours, which the colour-blind can tell apart.
WHITE, PALE, GREY, BLACK = (255, 255, 255), (235, 235, 235), (190, 190, 190), (0, 0, 0)
BLUE, ORANGE, GREEN, RED = (0, 114, 178), (230, 159, 0), (0, 158, 115), (213, 94, 0)


def truth_and_mask() -> tuple[Mask, Mask]:
    """A leaf with a hole and a stem; the mask has lost the stem and hole and made up a spot."""
    canvas = np.zeros((HEIGHT, WIDTH), np.uint8)
    cv2.ellipse(canvas, (190, 150), (120, 78), -12, 0, 360, 1, -1)
    cv2.circle(canvas, (225, 130), 20, 0, -1)
    cv2.line(canvas, (300, 130), (380, 40), 1, 4)
    coarse = np.zeros_like(canvas)
    corners = [[78, 175], [88, 118], [150, 78], [240, 60], [300, 108], [298, 160], [222, 222]]
    cv2.fillPoly(coarse, [np.array([*corners, [130, 224]])], 1)
    cv2.circle(coarse, (60, 60), 14, 1, -1)
    return canvas.astype(bool), coarse.astype(bool)


def painted(*layers: tuple[Mask, tuple[int, int, int]]) -> Picture:
    """Masks in their colours over white, the last on top."""
    picture = np.full((HEIGHT, WIDTH, 3), WHITE, np.uint8)
    for mask, colour in layers:
        picture[mask] = colour
    return picture


def errors(mask: Mask, truth: Mask) -> Picture:
    """Both in grey, missed pixels in blue, made-up ones in orange."""
    return painted((mask & truth, GREY), (truth & ~mask, BLUE), (mask & ~truth, ORANGE))


def judged(where: Mask, right: Mask, truth: Mask) -> Picture:
    """What a metric looks at: right pixels in green, wrong ones in red, over the pale truth."""
    return painted((truth, PALE), (where & right, GREEN), (where & ~right, RED))


def iou(mask: Mask, truth: Mask) -> list[Picture]:
    """The pair; intersection and union."""
    return [errors(mask, truth), judged(mask | truth, mask & truth, truth)]


def mba(mask: Mask, truth: Mask) -> list[Picture]:
    """The bands of radius 1, 6 and 12, as in a picture of 5000 x 3600."""
    panels = []
    for radius in (1, 6, 12):
        kernel = bands.band_kernel(radius)
        gradient = cv2.morphologyEx(truth.view(np.uint8), cv2.MORPH_GRADIENT, kernel)
        panels.append(judged(np.asarray(gradient) > 0, mask == truth, truth))
    return panels


def boundary_iou(mask: Mask, truth: Mask) -> list[Picture]:
    """The inner bands at 0.02 and 0.005 of the diagonal: shared, or in one mask alone."""
    panels = []
    for ratio in (0.02, 0.005):
        depth = boundaries.boundary_depth(truth.shape, ratio)
        kernel = np.ones((2 * depth + 1, 2 * depth + 1), np.uint8)
        inner = [
            mask_
            & ~(cv2.erode(np.pad(mask_.view(np.uint8), depth), kernel) > 0)[
                depth:-depth, depth:-depth
            ]
            for mask_ in (mask, truth)
        ]
        panels.append(errors(*inner))
    return panels


def boundary_f(mask: Mask, truth: Mask) -> list[Picture]:
    """Contours of mask and truth: right where the other is within the tolerance."""
    contours = [boundaries._contour(part) for part in (mask, truth)]
    radius = int(np.ceil(0.008 * np.hypot(HEIGHT, WIDTH)))
    panels = []
    for contour, other in (contours, contours[::-1]):
        distance = cv2.distanceTransform((~other).view(np.uint8), cv2.DIST_L2, 5)
        near = np.asarray(distance) <= radius
        thick = [
            cv2.dilate((contour & part).view(np.uint8), np.ones((3, 3))) for part in (near, ~near)
        ]
        panels.append(painted((truth, PALE), (thick[0] > 0, GREEN), (thick[1] > 0, RED)))
    return panels


def hausdorff(mask: Mask, truth: Mask) -> list[Picture]:
    """How far each mask's surface is from the other: darker is further."""
    panels = []
    for part, other in ((mask, truth), (truth, mask)):
        inner = cv2.erode(other.view(np.uint8), np.ones((3, 3), np.uint8)) > 0
        distance = cv2.distanceTransform((~(other & ~inner)).view(np.uint8), cv2.DIST_L2, 5)
        edge = part & ~(cv2.erode(part.view(np.uint8), np.ones((5, 5), np.uint8)) > 0)
        share = np.clip(np.asarray(distance) / 60, 0, 1)[..., None]
        shade = np.array(GREEN) * (1 - share) + np.array(RED) * share
        picture = painted((truth, PALE))
        picture[edge] = shade.astype(np.uint8)[edge]
        panels.append(picture)
    return panels


def soft_mask(mask: Mask) -> npt.NDArray[np.float32]:
    """The mask with a soft edge."""
    return np.clip(cv2.GaussianBlur(mask.astype(np.float32), (0, 0), 5), 0, 1)


def shaded(values: npt.NDArray[np.floating]) -> Picture:
    """Values from 0 to 1 as white to black."""
    return np.repeat((255 * (1 - np.clip(values, 0, 1)))[..., None], 3, axis=2).astype(np.uint8)


def mae(mask: Mask, truth: Mask) -> list[Picture]:
    """The soft mask, and its difference from the truth."""
    soft = soft_mask(mask)
    return [shaded(soft), shaded(np.abs(soft - truth))]


def weighted_f(mask: Mask, truth: Mask) -> list[Picture]:
    """Each error, and what it weighs beside the object: up to twice, further away."""
    distance = cv2.distanceTransform((~truth).view(np.uint8), cv2.DIST_L2, 5)
    weight = np.where(truth, 1, 2 - 0.5 ** (np.asarray(distance) / 5))
    error = (mask != truth).astype(float)
    return [shaded(error / 2), shaded(error * weight / 2)]


def s_measure(mask: Mask, truth: Mask) -> list[Picture]:
    """The soft mask and the truth in their four quarters."""
    row, column = (int(axis.mean().round()) + 1 for axis in np.nonzero(truth))
    panels = [shaded(soft_mask(mask)), shaded(truth * 0.6)]
    for panel in panels:
        panel[row - 1 : row + 1] = BLUE
        panel[:, column - 1 : column + 1] = BLUE
    return panels


def hce(mask: Mask, truth: Mask) -> list[Picture]:
    """The pair with the truth's skeleton; the errors that are not forgiven."""
    core = cv2.erode((mask | truth).view(np.uint8), effort._CROSS, iterations=5) > 0
    surplus = effort._unforgiven(mask & ~truth, core, ~truth, 5)
    line = skeleton.skeleton(truth)
    missing = effort._unforgiven(truth & ~mask, core, ~mask, 5) | (line & ~mask)
    thick = [cv2.dilate(part.view(np.uint8), effort._CROSS) > 0 for part in (line, missing)]
    pair = errors(mask, truth)
    pair[thick[0]] = BLACK
    return [pair, painted((mask & truth, PALE), (thick[1], BLUE), (surplus, ORANGE))]


def classes(_mask: Mask, _truth: Mask) -> list[Picture]:
    """A map of three classes and void, its truth, and where they agree."""
    rows, columns = np.mgrid[:HEIGHT, :WIDTH]
    truth = np.where(rows < 110 + 0.1 * columns, 1, 2)
    truth[(columns - 260) ** 2 + (rows - 170) ** 2 < 60**2] = 3
    truth[rows > 270] = 0
    labels = np.roll(np.where(truth == 0, 2, truth), (14, -10), (0, 1))
    palette = np.array([WHITE, BLUE, ORANGE, GREEN], np.uint8)
    right = painted((truth > 0, RED), ((truth > 0) & (labels == truth), GREEN))
    return [palette[labels], palette[truth], right]


def row(panels: list[Picture]) -> Picture:
    """Panels beside one another, enlarged without smoothing and framed."""
    framed = []
    for panel in panels:
        large = np.kron(panel, np.ones((ZOOM, ZOOM, 1), np.uint8))
        framed.append(cv2.copyMakeBorder(large, 1, 1, 1, 1, cv2.BORDER_CONSTANT, value=GREY))
        framed.append(np.full((large.shape[0] + 2, GAP, 3), WHITE, np.uint8))
    return np.concatenate(framed[:-1], axis=1)


def shifted(size: int, width: int, steps: list[int]) -> dict[str, list[float]]:
    """Scores of an upright bar through a square picture, shifted aside by each step."""
    truth = np.zeros((size, size), bool)
    truth[:, (size - width) // 2 : (size + width) // 2] = True
    moved = [np.roll(truth, step, axis=1) for step in steps]
    return {
        "IoU": [metrics.iou(mask, truth) for mask in moved],
        "mBA": [metrics.mba(mask, truth) for mask in moved],
        "boundary IoU, 0.02": [metrics.boundary_iou(mask, truth) for mask in moved],
        "boundary IoU, 0.005": [metrics.boundary_iou(mask, truth, ratio=0.005) for mask in moved],
        "boundary F": [metrics.boundary_f(mask, truth) for mask in moved],
    }


def chart(steps: list[int], series: dict[str, list[float]], title: str) -> str:
    """Lines of scores over the shift in pixels, as SVG."""
    left, top, width, height = 48, 34, 470, 260

    def place(step: float, score: float) -> tuple[float, float]:
        return left + width * step / steps[-1], top + height * (1 - score)

    colours = ["#000000", "#d55e00", "#0072b2", "#56b4e9", "#009e73"]
    dashes = ["none", "none", "7 3", "2 3", "9 3 2 3"]
    parts = [f'<text x="{left}" y="20" font-weight="bold">{title}</text>']
    for tick in (0, 0.25, 0.5, 0.75, 1):
        x, y = place(0, tick)
        parts.append(f'<path d="M{x} {y:.1f}h{width}" stroke="#cccccc"/>')
        parts.append(f'<text x="{x - 6}" y="{y + 4:.1f}" text-anchor="end">{tick:g}</text>')
    for tick in steps[:: max(1, len(steps) // 6)]:
        x, y = place(tick, 0)
        parts.append(f'<text x="{x:.1f}" y="{y + 18:.1f}" text-anchor="middle">{tick}</text>')
    x, y = place(steps[-1] / 2, 0)
    parts.append(f'<text x="{x:.1f}" y="{y + 38:.1f}" text-anchor="middle">shift in pixels</text>')
    for number, (name, scores) in enumerate(series.items()):
        points = " ".join(f"{x:.1f},{y:.1f}" for x, y in map(place, steps, scores))
        style = f'stroke="{colours[number]}" stroke-dasharray="{dashes[number]}" stroke-width="2"'
        parts.append(f'<polyline points="{points}" fill="none" {style}/>')
        at = top + 14 + 20 * number
        parts.append(f'<path d="M{left + width + 16} {at}h30" {style}/>')
        parts.append(f'<text x="{left + width + 52}" y="{at + 4}">{name}</text>')
    size = f'width="{left + width + 200}" height="{top + height + 50}"'
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" {size} font-family="sans-serif" font-size="13">'
        f'<rect width="100%" height="100%" fill="#ffffff"/>{"".join(parts)}</svg>\n'
    )


def main() -> None:
    """Write every picture beside this file."""
    draw: dict[str, Callable[[Mask, Mask], list[Picture]]] = {
        "iou": iou,
        "mba": mba,
        "boundary-iou": boundary_iou,
        "boundary-f": boundary_f,
        "hausdorff": hausdorff,
        "mae": mae,
        "weighted-f": weighted_f,
        "s-measure": s_measure,
        "hce": hce,
        "classes": classes,
    }
    truth, mask = truth_and_mask()
    for name, panels in draw.items():
        picture = cv2.cvtColor(row(panels(mask, truth)), cv2.COLOR_RGB2BGR)
        cv2.imwrite(str(FOLDER / f"{name}.png"), picture, [cv2.IMWRITE_PNG_COMPRESSION, 9])
    for name, width, steps in (("wide", 900, [*range(0, 201, 5)]), ("thin", 16, [*range(25)])):
        title = f"A bar {width} px wide, shifted aside in a picture of 2000 x 2000"
        svg = chart(steps, shifted(2000, width, steps), title)
        (FOLDER / f"shift-{name}.svg").write_text(svg)


if __name__ == "__main__":
    main()
