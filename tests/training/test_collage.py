"""Photos made of cut-outs: exact truth, and the masks that networks make of them."""

import sys

import cv2
import numpy as np
import pytest

from edgewise.errors import InputError, ModelError
from edgewise.training import collage
from edgewise.training.collage import matte, picture, place, read_cutout
from edgewise.training.synthesize import Cutout

CANVAS = (480, 640)


def disc(colour, size=200):
    alpha = np.zeros((size, size), np.uint8)
    cv2.circle(alpha, (size // 2, size // 2), size // 2 - 2, 255, -1, cv2.LINE_AA)
    return Cutout(colour=np.full((size, size, 3), colour, np.uint8), alpha=alpha)


@pytest.fixture
def red():
    return disc((255, 0, 0))


@pytest.fixture
def ground():
    return np.full((500, 700, 3), (0, 0, 255), np.uint8)


def found(mask):
    rows, columns = np.flatnonzero(mask.any(1)), np.flatnonzero(mask.any(0))
    return rows[0], columns[0], rows[-1] + 1, columns[-1] + 1


def test_a_cutout_lies_where_it_is_asked_for(red):
    layer = place(red, CANVAS, 0.25, np.random.default_rng(0), np.array([200.0, 300.0]))
    top, left, bottom, right = found(layer.alpha > 0.5)
    assert abs((top + bottom) / 2 - 200) <= 1
    assert abs((left + right) / 2 - 300) <= 1
    assert 110 <= bottom - top <= 122


@pytest.mark.parametrize("seed", range(12))
def test_no_colour_from_outside_of_it_comes_in(seed):
    green = disc((0, 255, 0))
    colour = np.where(green.alpha[..., None] > 0, green.colour, np.uint8(255))
    layer = place(
        Cutout(colour=colour, alpha=green.alpha), CANVAS, 0.6, np.random.default_rng(seed)
    )
    assert layer.colour[..., 0].max() < 12  # red is in the surroundings alone
    assert np.allclose(layer.colour[..., 1], 255 * layer.alpha, atol=6)


def test_what_was_cut_off_below_stands_on_the_photos_edge():
    alpha = np.full((100, 60), 255, np.uint8)
    figure = Cutout(colour=np.full((100, 60, 3), 90, np.uint8), alpha=alpha)
    stands = 0
    for seed in range(20):
        layer = place(figure, CANVAS, 0.5, np.random.default_rng(seed))
        stands += found(layer.alpha > 0.5)[2] == CANVAS[0]
    assert stands >= 8  # the others were turned


def test_a_picture_shows_what_its_truth_says(red, ground):
    def blue():
        return disc((0, 0, 255))

    for seed in range(12):
        made = picture(red, blue, ground, {}, np.random.default_rng(seed))
        assert made is not None
        assert made.photo.shape[:2] == made.truth.shape
        redder = made.photo[..., 0].astype(int) - made.photo[..., 2]
        inside, outside = made.truth > 250, made.truth < 5
        assert redder[inside].min() > redder[outside].max()


def test_what_stands_before_the_object_is_no_part_of_it(red, ground, monkeypatch):
    monkeypatch.setattr(collage, "BEHIND", 0.0)
    monkeypatch.setattr(collage, "NEIGHBOURS", (2,))
    whole = covered = 0
    for seed in range(12):
        random = np.random.default_rng(seed)
        made = picture(red, lambda: disc((0, 255, 0)), ground, {}, random)
        assert made is not None
        greener = made.photo[..., 1].astype(int) - made.photo[..., 0]
        assert (greener[made.truth > 250] < 0).all()
        covered += (greener > 60).any()
        whole += 1
    assert covered > whole / 3


def test_a_networks_mask_counts_where_it_means_the_object(red, ground, monkeypatch):
    monkeypatch.setattr(collage, "NEIGHBOURS", (0,))

    def same(photo):
        wide = cv2.dilate((photo[..., 0] > 128).astype(np.uint8), np.ones((9, 9), np.uint8))
        return wide > 0

    maskers = {"near": same, "all": lambda photo: np.ones(photo.shape[:2], bool)}
    made = picture(red, lambda: red, ground, maskers, np.random.default_rng(3))
    assert made is not None
    assert "near" in made.coarse
    assert "all" not in made.coarse
    assert all(mask.shape == made.truth.shape for mask in made.coarse.values())


def test_a_cutout_is_cut_to_its_object(tmp_path, red):
    bgra = np.zeros((300, 400, 4), np.uint8)
    bgra[50:250, 120:320, :3], bgra[50:250, 120:320, 3] = red.colour[..., ::-1], red.alpha
    cv2.imwrite(str(tmp_path / "a.png"), bgra)
    found = read_cutout(tmp_path / "a.png")
    assert abs(found.alpha.shape[0] - 197) <= 2
    assert (found.colour[found.alpha > 250] == (255, 0, 0)).all()


@pytest.mark.parametrize(
    "picture",
    [
        np.zeros((90, 90, 3), np.uint8),
        np.full((90, 90, 4), 255, np.uint8),
        np.zeros((90, 90, 4), np.uint8),
    ],
    ids=["no alpha", "nothing clear", "nothing there"],
)
def test_other_pictures_are_no_cutouts(tmp_path, picture):
    cv2.imwrite(str(tmp_path / "a.png"), picture)
    assert read_cutout(tmp_path / "a.png") is None


def test_what_cannot_be_read_is_refused(tmp_path):
    (tmp_path / "a.png").write_bytes(b"no")
    with pytest.raises(InputError, match="cannot be read"):
        read_cutout(tmp_path / "a.png")


def test_a_file_that_is_no_network_is_refused(tmp_path):
    (tmp_path / "u2net.onnx").write_bytes(b"no")
    with pytest.raises(ModelError, match="cannot be opened"):
        collage.u2net(tmp_path / "u2net.onnx")


@pytest.fixture
def folders(tmp_path, red, ground):
    """Two cut-outs, and a training folder with a background."""
    cutouts, data = tmp_path / "cutouts", tmp_path / "data"
    cutouts.mkdir()
    (data / "_backgrounds").mkdir(parents=True)
    for name in ("a", "b"):
        bgra = np.dstack([red.colour[..., ::-1], red.alpha])
        cv2.imwrite(str(cutouts / f"{name}.png"), bgra)
    cv2.imwrite(str(data / "_backgrounds" / "g.jpg"), ground)
    return cutouts, data


def test_the_command_makes_a_source_and_goes_on(tmp_path, monkeypatch, folders):
    cutouts, data = folders
    output = tmp_path / "figures"
    words = ["collage", str(cutouts), str(data), str(output), "--each", "2"]
    monkeypatch.setattr(sys, "argv", words)
    cv2.imwrite(str(cutouts / "c.png"), np.zeros((50, 50, 3), np.uint8))  # is left out
    collage.main()
    photos = sorted(path.name for path in output.glob("*_im.jpg"))
    assert photos == ["a_0_im.jpg", "a_1_im.jpg", "b_0_im.jpg", "b_1_im.jpg"]
    for path in output.glob("*_im.jpg"):
        stem = str(path).removesuffix("_im.jpg")
        assert cv2.imread(f"{stem}_gt.png", cv2.IMREAD_GRAYSCALE).max() == 255
        assert list(output.glob(f"{path.name.removesuffix('_im.jpg')}_seg_*.png"))
    kept, gone = output / "a_0_im.jpg", output / "b_1_im.jpg"
    before, content = kept.stat().st_mtime_ns, gone.read_bytes()
    gone.unlink()
    collage.main()
    assert kept.stat().st_mtime_ns == before
    assert gone.read_bytes() == content


def test_no_photos_of_each_are_refused(tmp_path, folders):
    with pytest.raises(InputError, match="at least 1, not 0"):
        collage.make(sorted(folders[0].iterdir()), [], {}, tmp_path / "out", each=0)
    assert not (tmp_path / "out").exists()


def test_a_folder_without_cutouts_is_refused(tmp_path, monkeypatch, folders):
    monkeypatch.setattr(
        sys, "argv", ["collage", str(tmp_path), str(folders[1]), str(tmp_path / "o")]
    )
    with pytest.raises(InputError, match="no pictures"):
        collage.main()


def test_a_view_before_black_and_white_gives_its_alpha_back():
    cover = disc((0, 0, 0), size=400).alpha.astype(np.float32)[..., None] / 255 * 0.8
    colour = np.float32((200, 100, 50))
    seen = matte(colour * cover, colour * cover + 255 * (1 - cover), np.random.default_rng(0))
    assert seen is None  # nothing of it is opaque
    cover = np.minimum(1, cover / 0.8)
    seen = matte(colour * cover, colour * cover + 255 * (1 - cover), np.random.default_rng(0))
    assert seen.shape == (200, 200, 4)
    middle = seen[100, 100]
    assert middle[3] == 255
    assert middle[2] > middle[1] > middle[0]  # BGR
    assert seen[0, 0, 3] == 0
    assert 0 < (seen[..., 3] % 255 > 0).sum() < 1500  # the rim alone is in between


def test_a_view_that_shows_little_is_none():
    dark = np.zeros((400, 400, 3), np.float32)
    assert matte(dark, dark + 255, np.random.default_rng(0)) is None
