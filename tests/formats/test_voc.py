"""VOC's pictures come back as objects, and what overlaps hide is reported."""

import numpy as np
import pytest
from hypothesis import given
from PIL import Image

from edgewise.errors import InputError
from edgewise.formats.annotation import Dataset, Form, Instance, Photo, Rle
from edgewise.formats.voc import VOC_CLASSES, colours, read, write

from .shapes import dataset, masks_of, noise, ring_shape, square


def save(path, pixels):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.asarray(pixels, dtype=np.uint8)).save(path)


def test_the_palette_is_vocs():
    """The first of VOC's colours, and void's, as published in VOCdevkit."""
    assert colours()[:4].tolist() == [[0, 0, 0], [128, 0, 0], [0, 128, 0], [128, 128, 0]]
    assert colours()[[15, 20, 255]].tolist() == [[192, 128, 128], [0, 64, 128], [224, 224, 192]]


@given(noise.filter(np.any))
def test_objects_that_do_not_overlap_come_back_exactly(tmp_path_factory, mask):
    path = tmp_path_factory.mktemp("voc") / "out"
    masks = [mask, ~mask] if not mask.all() else [mask]
    before = dataset(*masks)
    assert write(before, path, Form()) == []
    assert read(path) == before


def test_the_smaller_of_two_that_overlap_is_on_top_and_the_loss_is_said(tmp_path):
    small, large = square(5, 5, 3), square(2, 2, 12)
    losses = write(dataset(small, large, crowd=True), tmp_path / "out", Form())
    assert losses == [
        "2 crowd regions became ordinary objects",
        "a.jpg: 9 px where objects overlap: the smaller has them",
    ]
    after = masks_of(read(tmp_path / "out"))
    np.testing.assert_array_equal(after, [small, large & ~small])


def test_vocs_own_classes_void_and_photos_without_objects(tmp_path):
    pixels = np.zeros((6, 8))
    pixels[1:3, 1:7] = 15
    pixels[4, 4] = 8
    pixels[3] = 255
    save(tmp_path / "SegmentationClass" / "2007_1.png", pixels)
    result = read(tmp_path)
    assert result.categories == VOC_CLASSES
    (photo,) = result.photos
    assert photo.name == "2007_1.jpg"
    assert [(one.category, one.mask.area) for one in photo.instances] == [
        ("cat", 1),
        ("person", 12),
    ]


def test_an_objects_class_is_that_of_most_of_its_pixels(tmp_path):
    kinds, objects = np.zeros((6, 8)), np.zeros((6, 8))
    kinds[1:3, 1:7], kinds[1, 1] = 15, 8
    objects[1:4, 1:7], objects[5, 5] = 1, 2
    save(tmp_path / "SegmentationClass" / "a.png", kinds)
    save(tmp_path / "SegmentationObject" / "a.png", objects)
    save(tmp_path / "JPEGImages" / "a.png", kinds)
    result = read(tmp_path)
    assert result.photos[0].name == "a.png"
    (tmp_path / "JPEGImages").rename(tmp_path / "photos")
    assert read(tmp_path).photos[0].name == "a.jpg"
    assert read(tmp_path, tmp_path / "photos").photos[0].name == "a.png"
    assert [(one.category, one.mask.area) for one in result.photos[0].instances] == [("person", 18)]
    file = tmp_path / "SegmentationClass" / "a.png"
    assert result.problems == (f"{file}: object 2 has no class; left out",)


def test_pictures_in_colours_are_read_by_the_label_map(tmp_path):
    pixels = np.zeros((4, 5, 3))
    pixels[1, 1:4] = (250, 50, 83)
    save(tmp_path / "SegmentationClass" / "a.png", pixels)
    text = "# label:color_rgb:parts:actions\nbackground:0,0,0::\na:cat:250,50,83::\n"
    (tmp_path / "labelmap.txt").write_text(text)
    (photo,) = read(tmp_path).photos
    assert [(one.category, one.mask.area) for one in photo.instances] == [("a:cat", 3)]


def test_what_is_damaged_is_named_and_the_rest_is_read(tmp_path):
    folder = tmp_path / "SegmentationClass"
    save(folder / "a.png", np.full((4, 5, 3), 7))
    save(folder / "b.png", np.ones((4, 5)))
    save(tmp_path / "SegmentationObject" / "b.png", np.ones((5, 4)))
    (folder / "c.png").write_bytes(b"no picture")
    save(folder / "d.png", np.ones((4, 5)))
    result = read(tmp_path)
    assert [photo.name for photo in result.photos] == ["d.jpg"]
    colour, size, picture = result.problems
    assert "a.png: has colours that no class of the palette has; left out" in colour
    assert "b.png: is of another size than" in size
    assert "c.png: is not a picture" in picture


@pytest.mark.parametrize("line", ["cat:1,2::", "cat:1,2,256::", "cat:red::"])
def test_a_label_map_that_cannot_be_read_is_refused(tmp_path, line):
    save(tmp_path / "SegmentationClass" / "a.png", np.ones((4, 5)))
    (tmp_path / "labelmap.txt").write_text(line)
    with pytest.raises(InputError, match="is no colour; expected name:red,green,blue::"):
        read(tmp_path)


def test_a_folder_without_pictures_is_refused(tmp_path):
    with pytest.raises(InputError, match="no pictures in a folder SegmentationClass"):
        read(tmp_path)


def test_more_objects_or_classes_than_indices_are_refused(tmp_path):
    one = Instance(category="c0", mask=Rle.of(square(1, 1, 2)))
    photo = Photo(name="a.jpg", height=20, width=30, instances=(one,) * 255)
    with pytest.raises(InputError, match=r"a.jpg has 255 objects; VOC has indices for 254"):
        write(Dataset(photos=(photo,), categories=("c0",)), tmp_path / "out", Form())
    many = tuple(f"c{number}" for number in range(255))
    with pytest.raises(InputError, match="255 classes; VOC has indices for 254"):
        write(Dataset(photos=(), categories=many), tmp_path / "out", Form())


@pytest.mark.parametrize("name", ["#1", " cat", "a\nb", "a\u2028b", "\ud83d", ""])
def test_class_names_that_the_label_map_would_lose_are_refused(tmp_path, name):
    with pytest.raises(InputError, match=r"labelmap.txt cannot hold it; expected one line"):
        write(Dataset(photos=(), categories=("dog", name)), tmp_path / "out", Form())
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("name", ["a.JPG", "a.jpeg", "sub/a.Png", "a.webp"])
def test_photos_are_found_whatever_their_suffix(tmp_path, name):
    inner = (tmp_path / "SegmentationClass" / name).with_suffix(".png")
    save(inner, np.ones((4, 5)))
    photo = tmp_path / "JPEGImages" / name
    photo.parent.mkdir(parents=True)
    photo.touch()
    assert [photo.name for photo in read(tmp_path).photos] == [name]


def test_readers_of_voc_find_the_photos_in_the_list(tmp_path):
    write(dataset(ring_shape()), tmp_path / "out", Form())
    assert (tmp_path / "out" / "ImageSets" / "Segmentation" / "default.txt").read_text() == "a\nb\n"
    with Image.open(tmp_path / "out" / "SegmentationClass" / "a.png") as picture:
        assert picture.mode == "P"
        assert picture.getpalette()[:6] == [0, 0, 0, 128, 0, 0]


@pytest.mark.parametrize(("bits", "rows"), [(1, b"\0\x60"), (2, b"\0\x18"), (4, b"\0\x01\x20")])
def test_grey_of_few_bits_keeps_its_indices(tmp_path, png_bytes, bits, rows):
    (tmp_path / "SegmentationClass").mkdir()
    (tmp_path / "SegmentationClass" / "a.png").write_bytes(png_bytes(4, 1, bits, 0, rows))
    (photo,) = read(tmp_path).photos
    stored = {1: [0, 1, 1, 0], 2: [0, 1, 2, 0], 4: [0, 1, 2, 0]}[bits]
    for one in photo.instances:
        place = VOC_CLASSES.index(one.category) + 1
        np.testing.assert_array_equal(one.mask.mask(), [np.array(stored) == place])
    assert len(photo.instances) == max(stored)


@pytest.mark.parametrize("order", [[0, 1, 2, 255], [255, 2, 0, 1]])
def test_a_palette_in_another_order_is_read_by_its_colours(tmp_path, order):
    pixels = np.array([[0, 1, 2, 255]], dtype=np.uint8)
    picture = Image.fromarray(np.argsort(order)[np.array([[0, 1, 2, 3]])].astype(np.uint8))
    picture.putpalette(colours()[order].ravel().tolist())
    (tmp_path / "SegmentationClass").mkdir()
    picture.save(tmp_path / "SegmentationClass" / "a.png")
    (photo,) = read(tmp_path).photos
    assert [one.category for one in photo.instances] == ["aeroplane", "bicycle"]
    np.testing.assert_array_equal(masks_of(read(tmp_path)), [pixels == 1, pixels == 2])


def test_indices_stay_where_a_palette_has_colours_of_its_own(tmp_path):
    picture = Image.fromarray(np.array([[0, 1, 2]], dtype=np.uint8))
    picture.putpalette([1, 1, 1, 250, 250, 250, 128, 0, 0])
    (tmp_path / "SegmentationClass").mkdir()
    picture.save(tmp_path / "SegmentationClass" / "a.png")
    assert [one.category for one in read(tmp_path).photos[0].instances] == ["aeroplane", "bicycle"]


def test_a_label_map_that_does_not_begin_with_the_background_is_refused(tmp_path):
    save(tmp_path / "SegmentationClass" / "a.png", [[0, 1]])
    (tmp_path / "labelmap.txt").write_text("cat:128,0,0::\nbackground:0,0,0::\n")
    with pytest.raises(InputError, match="its first class is 'cat'; expected background:0,0,0::"):
        read(tmp_path)
