"""Drive's links and pages say what they are."""

import pytest

from edgewise.benchmarks.drive import (
    Entry,
    FetchError,
    Link,
    confirmed_url,
    entries,
    file_url,
    parse_link,
)
from tests.benchmarks import host as pages

DRIVE = "https://drive.google.com"
FROM = f"{DRIVE}/uc?export=download&id=abc"


@pytest.mark.parametrize(
    ("url", "link"),
    [
        (f"{DRIVE}/open?id=1cLQ-x_y", Link("either", "1cLQ-x_y")),
        (f"{DRIVE}/file/d/1yXP/view?usp=sharing", Link("file", "1yXP")),
        (f"{DRIVE}/uc?id=1yXP&export=download", Link("file", "1yXP")),
        (f"{DRIVE}/drive/folders/1tqk?usp=sharing", Link("folder", "1tqk")),
        (f"{DRIVE}/drive/u/0/folders/1tqk", Link("folder", "1tqk")),
        (f"{DRIVE}/embeddedfolderview?id=1tqk#list", Link("folder", "1tqk")),
        (f"{DRIVE}/about", None),
        ("https://example.org/open?id=1", None),
    ],
)
def test_links_of_every_form_are_known(url, link):
    assert parse_link(url) == link


def test_links_at_another_address_are_known_there():
    assert parse_link("http://127.0.0.1:9/open?id=1", "http://127.0.0.1:9") == Link("either", "1")


def test_ids_are_escaped():
    assert file_url("a&b") == f"{DRIVE}/uc?export=download&id=a%26b"


def test_the_confirmation_form_becomes_a_link_with_its_hidden_fields():
    action = "https://drive.usercontent.google.com/download"
    page = pages.WARNING.format(id="abc", name="a <b>.zip", action=action)
    assert confirmed_url(page, FROM) == f"{action}?id=abc&export=download&confirm=t&uuid=u-1"


def test_the_older_confirmation_link_is_followed():
    page = (
        '<html><body><a id="uc-download-link" '
        'href="/uc?export=download&amp;confirm=Ab_1&amp;id=abc">Download anyway</a></body></html>'
    )
    assert confirmed_url(page, FROM) == f"{DRIVE}/uc?export=download&confirm=Ab_1&id=abc"


@pytest.mark.parametrize(
    ("page", "words"),
    [
        (pages.QUOTA, "quota for this file is used up"),
        (pages.SIGN_IN, "not public any more"),
        ("<html><title>Error 404</title></html>", "a web page came .* Error 404"),
        ("", "without a title"),
    ],
)
def test_other_pages_are_told_apart(page, words):
    with pytest.raises(FetchError, match=words):
        confirmed_url(page, FROM)


def test_a_folder_page_lists_files_and_folders_by_name():
    host = pages.Host(url=DRIVE)
    host.folders["top"] = [
        ("file", "f1", "DeepLab & more.zip"),
        ("folder", "d1", "PSPNet"),
    ]
    assert entries(host.listing("top"), FROM) == [
        Entry("file", "f1", "DeepLab & more.zip"),
        Entry("folder", "d1", "PSPNet"),
    ]


def test_an_empty_folder_is_no_error():
    host = pages.Host(url=DRIVE, folders={"top": []})
    assert entries(host.listing("top"), FROM) == []


def test_a_page_that_is_no_folder_is_refused():
    with pytest.raises(FetchError, match="not public any more"):
        entries(pages.SIGN_IN, FROM)
