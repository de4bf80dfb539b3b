"""CVAT files keep all but the shapes that are replaced; hostile XML is refused before expansion."""

from xml.etree import ElementTree

import numpy as np
import pytest
from hypothesis import given

from edgewise.errors import InputError
from edgewise.formats.annotation import Dataset, Form, Photo, Rle
from edgewise.formats.cvat import CvatDocument, read, write

from .shapes import dataset, iou, masks_of, noise, ring_shape, square

EXPORT = """<?xml version="1.0" encoding="utf-8"?>
<annotations>
  <version>1.1</version>
  <!-- kept -->
  <meta><task><name>Zoë</name><labels>
    <label><name>cat</name><attributes/></label>
    <label><name>dog</name><attributes/></label>
  </labels></task><dumped>2026-11-01</dumped></meta>
  <image id="3" name="sub/a.jpg" width="30" height="20">
    <box label="cat" xtl="1" ytl="1" xbr="5" ybr="5"/>
    <polygon label="cat" source="manual" occluded="1" points="2,3;12,3;12,13;2,13" z_order="4">
      <attribute name="fur">long</attribute>
    </polygon>
    <mask label="dog" source="auto" occluded="0" rle="1, 4, 1" left="20" top="5"
      width="3" height="2" z_order="1"/>
  </image>
</annotations>
"""


def test_shapes_are_read_where_they_lie():
    document = CvatDocument(EXPORT.encode(), "in.xml")
    assert document.categories == ["cat", "dog"]
    (scene,) = document.scenes
    assert (scene.photo, scene.size) == ("sub/a.jpg", (20, 30))
    polygon, mask = scene.items
    assert polygon.name == "image 3 (sub/a.jpg), shape 1 (cat)"
    np.testing.assert_array_equal(document.mask(polygon, (20, 30)).mask(), square(3, 2, 10))
    expected = np.zeros((20, 30), dtype=bool)
    expected[5:7, 20:23] = [[False, True, True], [True, True, False]]
    np.testing.assert_array_equal(document.mask(mask, (20, 30)).mask(), expected)


def test_labels_of_a_skeletons_points_are_no_categories():
    points = "<label><name>eye</name><type>points</type><parent>cat</parent></label>"
    text = EXPORT.replace("<labels>", f"<labels>{points}")
    assert CvatDocument(text.encode(), "in.xml").categories == ["cat", "dog"]


@pytest.mark.parametrize("kind", [None, "rle", "polygon"])
def test_only_the_replaced_shapes_change(tmp_path, kind):
    document = CvatDocument(EXPORT.encode(), "in.xml")
    for item in document.scenes[0].items:
        document.replace(item, Rle.of(ring_shape()), Form(kind=kind, tolerance=0))
    document.save(tmp_path / "out.xml")

    text = (tmp_path / "out.xml").read_text(encoding="utf-8")
    again = CvatDocument(text.encode(), "out.xml")
    for item in again.scenes[0].items:
        np.testing.assert_array_equal(again.mask(item, (20, 30)).mask(), ring_shape())
    shapes = list(ElementTree.fromstring(text).find("image"))
    tags = {None: ["polygon", "mask"], "rle": ["mask"] * 2, "polygon": ["polygon"] * 2}[kind]
    assert [shape.tag for shape in shapes] == ["box", *tags]
    assert without_shapes(text) == without_shapes(EXPORT)


def test_photos_of_a_project_are_told_apart_by_their_subsets(tmp_path):
    """CVAT puts them into folders of the subsets, in each of which names are unique."""
    shape = '<polygon label="cat" points="2,3;12,3;12,13"/>'
    images = "".join(
        f'<image name="{name}" subset="{subset}" width="30" height="20">{shape}</image>'
        for subset, name in (("Train", "a.jpg"), ("Test", "a.jpg"), ("Test", "b.jpg"))
    )
    (tmp_path / "in.xml").write_text(f"<annotations>{images}</annotations>")
    document = CvatDocument((tmp_path / "in.xml").read_bytes(), "in.xml")
    assert [(scene.photo, *scene.aliases) for scene in document.scenes] == [
        ("Train/a.jpg",),
        ("Test/a.jpg",),
        ("b.jpg", "Test/b.jpg"),
    ]
    names = [photo.name for photo in read(tmp_path / "in.xml").photos]
    assert names == ["Train/a.jpg", "Test/a.jpg", "b.jpg"]


def without_shapes(text):
    """The file's text without where polygons and masks lie, for comparing all the rest."""
    document = CvatDocument(text.encode(), "in.xml")
    for shape in document._shapes:
        shape.tag = "shape"
        for key in ("points", "rle", "left", "top", "width", "height"):
            shape.attrib.pop(key, None)
    return ElementTree.tostring(document._root, encoding="unicode")


BOMB = (
    b'<!DOCTYPE a [<!ENTITY e0 "ha">'
    + b"".join(b'<!ENTITY e%d "%s">' % (n, b"&e%d;" % (n - 1) * 20) for n in range(1, 9))
    + b"]><annotations>&e8;</annotations>"
)


@pytest.mark.parametrize(
    ("data", "wrong"),
    [
        (BOMB, "document type declaration"),
        (b'<!DOCTYPE a SYSTEM "file:///etc/passwd"><annotations/>', "document type declaration"),
        (b"<annotations>\n<image", "malformed XML at line 2, column 1"),
        (b"", "malformed XML at line 1"),
        (b'<?xml version="1.0" encoding="nope"?><annotations/>', "no XML that can be read"),
        (b"<html/>", "its root is <html>"),
        (b"<annotations><track/></annotations>", "CVAT for video"),
    ],
)
def test_files_that_are_no_cvat_are_refused(data, wrong):
    with pytest.raises(InputError, match=f"in.xml: .*{wrong}"):
        CvatDocument(data, "in.xml")


@pytest.mark.parametrize(
    ("shape", "wrong"),
    [
        ('<polygon points="1,2;3"/>', "3 coordinates"),
        ('<polygon points="1,2;3,4;a,b"/>', "are not numbers"),
        ('<polygon points=""/>', "are not numbers"),
        ('<polygon points="2,2;8,8;8,2;2,8"/>', "crosses itself"),
        ('<polygon points="2,2;48,2;8,8"/>', "outside the photo"),
        ('<polygon points="2,2;2,8;2,5"/>', "empty polygon"),
        ('<mask rle="1, 5" left="0" top="0" width="3"/>', "no whole numbers"),
        ('<mask rle="1, 4" left="0" top="0" width="3" height="2"/>', "add up to 5 pixels; "),
        ('<mask rle="6" left="0" top="0" width="3" height="2"/>', "empty mask"),
        ('<mask rle="0, 6" left="28" top="0" width="3" height="2"/>', "outside the photo"),
        ('<mask rle="0, 6" left="-1" top="0" width="3" height="2"/>', "outside the photo"),
    ],
)
def test_what_is_wrong_with_a_shape_is_said(shape, wrong):
    image = f'<image id="0" name="a.jpg" width="30" height="20">{shape}</image>'
    document = CvatDocument(f"<annotations>{image}</annotations>".encode(), "in.xml")
    with pytest.raises(InputError, match=wrong):
        document.mask(document.scenes[0].items[0], (20, 30))


@given(noise.filter(np.any))
def test_masks_come_back_exactly(tmp_path_factory, mask):
    path = tmp_path_factory.mktemp("cvat") / "out.xml"
    before = dataset(mask, np.ones_like(mask))
    assert write(before, path, Form()) == []
    assert read(path) == before


def test_polygons_come_back_within_their_tolerance(tmp_path):
    masks = ring_shape(), square(1, 1, 9)
    for tolerance, least in ((0, 1), (1, 0.9)):
        write(dataset(*masks), tmp_path / "o.xml", Form(kind="polygon", tolerance=tolerance))
        after = masks_of(read(tmp_path / "o.xml"))
        assert min(iou(*pair) for pair in zip(after, masks, strict=True)) >= least


def test_converting_counts_shapes_that_are_no_masks(tmp_path):
    (tmp_path / "in.xml").write_text(EXPORT, encoding="utf-8")
    result = read(tmp_path / "in.xml")
    assert result.problems == (
        f"{tmp_path / 'in.xml'}: 1 shapes of type box are no masks; left out",
    )
    assert len(result.photos[0].instances) == 2


def test_an_image_of_a_width_that_is_no_number_of_pixels_is_left_out(tmp_path):
    text = EXPORT.replace('width="30"', f'width="{"9" * 5000}"')
    (tmp_path / "in.xml").write_text(text, encoding="utf-8")
    result = read(tmp_path / "in.xml")
    assert result.problems[1:] == (
        "image 3 (sub/a.jpg): its width and height are not stated in pixels",
    )


def test_converting_leaves_out_what_lies_absurdly_far_away(tmp_path):
    text = EXPORT.replace("2,3;12,3", "2,3;1e300,3")
    (tmp_path / "in.xml").write_text(text, encoding="utf-8")
    result = read(tmp_path / "in.xml")
    assert "its polygon spans x 2 to 1e+300" in result.problems[1]
    assert len(result.photos[0].instances) == 1


@pytest.mark.parametrize("name", ["a\x01b", "\ud83d", "\uffff"])
def test_names_that_xml_cannot_hold_are_refused(tmp_path, name):
    for data in (
        Dataset(photos=(), categories=("cat", name)),
        Dataset(photos=(Photo(name=name, height=5, width=7, instances=()),), categories=()),
    ):
        with pytest.raises(InputError, match="has a character that XML cannot hold; rename it"):
            write(data, tmp_path / "o.xml", Form())
    assert not (tmp_path / "o.xml").exists()


def test_names_of_all_other_kinds_come_back(tmp_path):
    names = ("<&>\"'", "Zoë \U0001f431", "a\tb")
    write(Dataset(photos=(), categories=names), tmp_path / "o.xml", Form())
    assert read(tmp_path / "o.xml").categories == names


def test_a_lost_crowd_is_reported(tmp_path):
    losses = write(dataset(ring_shape(), crowd=True), tmp_path / "o.xml", Form())
    assert losses == ["1 crowd regions became ordinary objects"]
