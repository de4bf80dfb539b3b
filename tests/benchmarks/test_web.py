"""Downloads come whole or not at all, and go on where they broke off."""

import hashlib
import json

import pytest

from edgewise.benchmarks.drive import FetchError
from edgewise.benchmarks.web import Found, Web
from edgewise.errors import OutputError
from tests.benchmarks.host import QUOTA, SIGN_IN, File

BLOCK = 2**16
DATA = bytes(range(256)) * 1000  # not quite four blocks


@pytest.fixture
def target(tmp_path):
    return tmp_path / "downloads" / "data.zip"


def url_of(host, key="a"):
    return f"{host.url}/uc?export=download&id={key}"


def left(target):
    return sorted(path.name for path in target.parent.iterdir())


# Whole files


@pytest.mark.parametrize("large", [False, True])
def test_a_file_comes_whole_past_any_confirmation(host, web, target, large):
    host.files["a"] = File(DATA, large=large)
    told = []
    done = web.download(url_of(host), target, progress=lambda *now: told.append(now))
    assert target.read_bytes() == DATA
    assert done.sha256 == hashlib.sha256(DATA).hexdigest()
    assert done.bytes == len(DATA)
    assert told[-1] == ("data.zip", len(DATA), len(DATA))
    assert left(target) == ["data.zip"]


def test_a_plain_host_serves_as_well(host, web, target):
    host.files["x.zip"] = File(DATA)
    web.download(f"{host.url}/plain/x.zip", target)
    assert target.read_bytes() == DATA


def test_a_file_that_is_here_is_not_fetched_again(host, web, target):
    target.parent.mkdir()
    target.write_bytes(DATA)
    assert web.download(url_of(host), target).bytes == len(DATA)
    assert host.asked == []


# Broken connections


@pytest.mark.parametrize("status", [206, 416])
def test_an_answer_about_parts_that_nobody_asked_for_is_worth_another_try(
    host, web, target, status
):
    host.files["a"] = File(DATA, errors=[status])
    web.download(url_of(host), target)
    assert target.read_bytes() == DATA


def test_a_broken_download_goes_on_from_where_it_broke(host, web, target, pauses):
    host.files["a"] = File(DATA, large=True, cuts=[BLOCK + 9, 2 * BLOCK])
    web.download(url_of(host), target)
    assert target.read_bytes() == DATA
    assert set(host.ranges()) == {f"bytes={BLOCK}-", f"bytes={3 * BLOCK}-"}
    assert pauses == [1, 2]


def test_a_later_command_goes_on_from_what_an_earlier_one_left(host, web, target):
    host.files["a"] = File(DATA, cuts=[2 * BLOCK, 0, 0, 0])
    with pytest.raises(FetchError, match=r"tried 4 times"):
        web.download(url_of(host), target)
    assert not target.exists()
    assert (target.parent / "data.zip.part").stat().st_size == 2 * BLOCK
    web.download(url_of(host), target)
    assert target.read_bytes() == DATA
    assert host.asked[-1][1] == f"bytes={2 * BLOCK}-"


def test_a_file_that_changed_in_between_is_fetched_from_the_start(host, web, target):
    host.files["a"] = File(DATA, cuts=[2 * BLOCK, 0, 0, 0])
    with pytest.raises(FetchError):
        web.download(url_of(host), target)
    host.files["a"] = File(DATA[::-1], tag='"v2"')
    web.download(url_of(host), target)
    assert target.read_bytes() == DATA[::-1]


def test_a_changed_file_without_a_tag_is_known_by_its_size(host, web, target):
    host.files["a"] = File(DATA, cuts=[2 * BLOCK, 0, 0, 0], tag="")
    with pytest.raises(FetchError):
        web.download(url_of(host), target)
    host.files["a"] = File(DATA[::-1] + b"more", tag="")
    web.download(url_of(host), target)
    assert target.read_bytes() == DATA[::-1] + b"more"


def test_a_host_without_ranges_is_asked_for_all(host, web, target):
    host.files["a"] = File(DATA, cuts=[BLOCK], ranges=False)
    web.download(url_of(host), target)
    assert target.read_bytes() == DATA


def test_a_part_longer_than_the_file_is_thrown_away(host, web, target):
    host.files["a"] = File(DATA)
    target.parent.mkdir()
    target.with_name("data.zip.part").write_bytes(DATA + b"x")
    note = json.dumps({"tag": '"v1"', "bytes": len(DATA)})
    target.with_name("data.zip.part.json").write_text(note)
    web.download(url_of(host), target)
    assert target.read_bytes() == DATA


def test_a_download_that_ended_before_its_last_step_is_whole(host, web, target):
    host.files["a"] = File(DATA)
    target.parent.mkdir()
    target.with_name("data.zip.part").write_bytes(DATA)
    note = json.dumps({"tag": '"v1"', "bytes": len(DATA)})
    target.with_name("data.zip.part.json").write_text(note)
    web.download(url_of(host), target)
    assert target.read_bytes() == DATA
    assert host.asked == []


@pytest.mark.parametrize("note", ["", "[1]", "{}"])
def test_a_part_with_a_damaged_note_is_fetched_from_the_start(host, web, target, note):
    host.files["a"] = File(DATA)
    target.parent.mkdir()
    target.with_name("data.zip.part").write_bytes(b"who knows")
    target.with_name("data.zip.part.json").write_text(note)
    web.download(url_of(host), target)
    assert target.read_bytes() == DATA


def test_a_part_of_unknown_origin_is_not_gone_on_with(host, web, target):
    host.files["a"] = File(DATA)
    target.parent.mkdir()
    target.with_name("data.zip.part").write_bytes(b"who knows")
    web.download(url_of(host), target)
    assert target.read_bytes() == DATA


def test_a_busy_host_is_asked_again(host, web, target, pauses):
    host.files["a"] = File(DATA, errors=[503, 429])
    web.download(url_of(host), target)
    assert target.read_bytes() == DATA
    assert len(pauses) == 2


def test_a_host_that_stays_busy_ends_the_download(host, web, target, pauses):
    host.files["a"] = File(DATA, errors=[503] * 9)
    with pytest.raises(FetchError, match=r"503 .*tried 4 times"):
        web.download(url_of(host), target)
    assert len(pauses) == 3


def test_no_host_at_all_is_told(tmp_path):
    with (
        Web(retries=0, pause=lambda _: None) as client,
        pytest.raises(FetchError, match=r"127\.0\.0\.1"),
    ):
        client.download("http://127.0.0.1:9/x.zip", tmp_path / "x")


# Pages instead of files


@pytest.mark.parametrize(
    ("page", "words"), [(QUOTA, "quota"), (SIGN_IN, "not public"), ("<html></html>", "web page")]
)
def test_a_page_instead_of_the_file_ends_it_at_once(host, web, target, pauses, page, words):
    host.files["a"] = File(page=page)
    with pytest.raises(FetchError, match=words):
        web.download(url_of(host), target)
    assert pauses == []
    assert left(target) == []


def test_a_page_under_another_content_type_is_still_a_page(host, web, target):
    host.files["a"] = File(QUOTA.encode())
    with pytest.raises(FetchError, match="quota"):
        web.download(url_of(host), target)
    assert not target.exists()
    assert not target.with_name("data.zip.part").exists()


def test_a_file_that_is_gone_is_told(host, web, target):
    with pytest.raises(FetchError, match=r"Error 404"):
        web.download(url_of(host, "gone"), target)


def test_a_form_that_leads_to_itself_ends(host, web, target):
    host.files["a"] = File(page='<form id="download-form" action="/download?id=a"></form>')
    with pytest.raises(FetchError, match="again and again"):
        web.download(url_of(host), target)


# Links


def test_a_folder_is_listed_with_the_folders_in_it(host, web):
    host.folders["top"] = [("file", "a", "deeplab.zip"), ("folder", "sub", "PSPNet")]
    host.folders["sub"] = [("file", "b", "x_seg.png")]
    assert web.find(f"{host.url}/drive/folders/top?usp=sharing") == [
        Found(url_of(host, "a"), "a", "deeplab.zip"),
        Found(url_of(host, "b"), "b", "PSPNet/x_seg.png"),
    ]


def test_names_in_folders_lead_nowhere_else_and_stay_apart(host, web):
    host.folders["top"] = [
        ("file", "a", "../../etc/passwd"),
        ("file", "b", "same.zip"),
        ("file", "c", "same.zip"),
        ("file", "d", ".."),
    ]
    paths = [found.path for found in web.find(f"{host.url}/drive/folders/top")]
    assert paths == ["_.._etc_passwd", "same.zip", "c-same.zip", "d"]


def test_an_open_link_is_asked_what_it_is(host, web):
    host.folders["top"] = [("file", "a", "x.zip")]
    host.files["a"] = File(DATA)
    assert web.find(f"{host.url}/open?id=top")[0].path == "x.zip"
    assert web.find(f"{host.url}/open?id=a") == [Found(url_of(host, "a"), "a", "a")]


def test_a_plain_link_is_itself(host, web):
    url = "http://example.org/a/ADE.zip"
    assert web.find(url) == [Found(url, url, "ADE.zip")]


def test_a_folder_that_is_gone_is_told(host, web):
    with pytest.raises(FetchError, match="Error 404"):
        web.find(f"{host.url}/drive/folders/gone")


def test_a_list_that_breaks_off_is_asked_for_again(host, web, pauses):
    host.folders["top"] = [("file", "a", "x.zip"), ("file", "b", "y.zip")]
    host.page_cuts = [100, 400]
    assert [found.path for found in web.find(f"{host.url}/drive/folders/top")] == ["x.zip", "y.zip"]
    assert pauses == [1, 2]


def test_a_list_that_breaks_off_again_and_again_is_told(host, web):
    host.folders["top"] = [("file", "a", "x.zip")]
    host.page_cuts = [100] * 4
    with pytest.raises(FetchError, match=r"embeddedfolderview.*tried 4 times"):
        web.find(f"{host.url}/drive/folders/top")


def test_what_cannot_be_unpacked_is_the_hosts_fault(host, web, target):
    host.packed = True
    host.folders["top"] = [("file", "a", "x.zip")]
    host.files["a"] = File(DATA)
    with pytest.raises(FetchError, match=r"embeddedfolderview.*content-encoding: gzip"):
        web.find(f"{host.url}/drive/folders/top")
    with pytest.raises(FetchError, match=r"id=a: .*content-encoding: gzip"):
        web.download(url_of(host), target)


def test_a_folder_within_itself_ends(host, web):
    host.folders["top"] = [("folder", "top", "me"), ("file", "a", "x")]
    assert len(web.find(f"{host.url}/drive/folders/top")) == 6


def test_a_place_that_cannot_be_written_is_told(host, web, tmp_path):
    host.files["a"] = File(DATA)
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(OutputError, match="cannot be written"):
        web.download(url_of(host), tmp_path / "file" / "x.zip")
