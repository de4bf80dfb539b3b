"""Requests that are refused: each with its status, and a line that says why."""

import socket

import httpx
import numpy as np
import pytest

from edgewise.studio.guard import Access, hosts_of
from edgewise.studio.limits import Limits
from tests.studio.serving import COARSE, PHOTO, coded, files, opened, serving

LIMITS = Limits(bytes=200_000, pixels=50_000)
TOKEN = "a-token-to-know"


@pytest.fixture(scope="module")
def client():
    with serving(limits=LIMITS) as client:
        yield client


def refused(answer, status, word):
    """That an answer is a refusal in the documented form."""
    assert answer.status_code == status, answer.text
    assert list(answer.json()) == ["error"]
    line = answer.json()["error"]
    assert word in line
    assert "\n" not in line
    assert "/tmp" not in line


def bomb(png_bytes):
    """A PNG of 60000x60000 pixels in a few bytes."""
    return png_bytes(60_000, 60_000, 8, 2, b"")


PICTURES = {
    "bomb": (413, "60000x60000 pixels"),
    "large": (413, "the limit is 50,000"),
    "text": (415, "not a picture"),
    "empty": (415, "is empty"),
    "svg": (415, "not a picture"),
    "head": (415, "cut off"),
    "truncated": (422, "damaged or cut off"),
}


@pytest.fixture
def pictures(png_bytes):
    whole = coded(np.random.default_rng(0).integers(0, 256, PHOTO.shape, np.uint8))
    return {
        "bomb": bomb(png_bytes),
        "large": coded(np.zeros((250, 250, 3), np.uint8)),
        "text": b"#!/bin/sh\nexit\n",
        "empty": b"",
        "svg": b"<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>",
        "head": whole[:20],
        "truncated": whole[: len(whole) // 2],
    }


@pytest.mark.parametrize(
    ("path", "part"), [("/refine", "photo"), ("/refine", "mask"), ("/api/documents", "mask")]
)
@pytest.mark.parametrize("kind", PICTURES)
def test_what_is_no_fit_picture_is_refused(client, pictures, path, part, kind):
    form = files() | {part: ("right.jpg", pictures[kind], "image/jpeg")}
    status, word = PICTURES[kind]
    refused(client.post(path, files=form), status, word)


@pytest.mark.parametrize(
    ("address", "further"),
    [
        ("/refine", {"data": {"as": "soft"}}),
        ("/refine?form=soft", {}),
        ("/refine?photo=a.jpg", {}),
        ("/refine", {"data": {"photos": "b.jpg"}}),
    ],
)
def test_an_option_that_would_be_passed_over_is_refused(client, address, further):
    refused(client.post(address, files=files(), **further), 422, "?as= in the address")


def test_a_second_photo_is_refused(client):
    form = [*files().items(), ("photo", ("b.png", coded(PHOTO)))]
    refused(client.post("/refine", files=form), 422, "photo: expected a form of a photo")


def test_the_content_decides_and_not_the_name(client):
    form = {"photo": ("photo.txt", coded(PHOTO), "text/plain"), "mask": ("x.exe", coded(COARSE))}
    assert client.post("/refine", files=form).status_code == 200


def test_a_mask_of_another_shape_is_refused(client):
    refused(client.post("/refine", files=files(mask=COARSE.T)), 422, "turned by 90 degrees")


@pytest.mark.parametrize("name", ["../a.png", "..\\a.png", "/etc/passwd", "a/b.png", ".."])
@pytest.mark.parametrize("path", ["/refine", "/api/documents"])
def test_names_that_lead_to_folders_are_refused(client, name, path):
    refused(client.post(path, files=files(name=name)), 400, "leads to a folder")


def raw(client, head, body=b""):
    """The status line and the body that a request of raw bytes is answered with."""
    with socket.create_connection(("127.0.0.1", client.port), timeout=20) as stream:
        stream.sendall(head.replace(b"\n", b"\r\n") + b"\r\n" + body)
        answer = b""
        while part := stream.recv(65536):
            answer += part
    top, _, rest = answer.partition(b"\r\n\r\n")
    return int(top.split()[1]), rest.decode()


HEAD = (
    b"POST %b HTTP/1.1\nHost: localhost\nConnection: close\nX-Edgewise: 1\n"
    b"Content-Type: multipart/form-data; boundary=x\n"
)


@pytest.mark.parametrize("path", [b"/refine", b"/api/documents"])
def test_a_request_that_announces_ten_gigabytes_is_refused_before_it_comes(client, path):
    status, line = raw(client, HEAD % path + b"Content-Length: 10737418240\n")
    assert status == 413
    assert "10,737,418,240 bytes; the limit is 200,000" in line


def test_a_request_that_grows_beyond_the_limit_is_refused_on_the_way(client):
    part = b'--x\r\nContent-Disposition: form-data; name="photo"; filename="a"\r\n\r\n'
    chunks = [part, *[b"\0" * 50_000] * 5]
    body = b"".join(b"%x\r\n%b\r\n" % (len(chunk), chunk) for chunk in chunks) + b"0\r\n\r\n"
    status, line = raw(client, HEAD % b"/refine" + b"Transfer-Encoding: chunked\n", body)
    assert status == 413
    assert "more than 200,000 bytes" in line


def test_a_form_that_is_no_upload_has_a_limit_of_its_own():
    with serving() as client:
        key = opened(client)["id"]
        form = {"mode": "add", "radius": 1, "points": [[1, 1]] * 10, "fill": "x" * (5 << 20)}
        refused(client.post(f"/api/documents/{key}/strokes", json=form), 413, "the limit is")


@pytest.mark.parametrize(
    ("headers", "word"),
    [
        ({"Host": "evil.example"}, "host 'evil.example'"),
        ({"Host": "127.0.0.1.evil.example"}, "host"),
        ({"Host": ""}, "host"),
        ({"Origin": "http://evil.example"}, "origin 'http://evil.example'"),
        ({"Origin": "null"}, "origin 'null'"),
        ({"Origin": "http://127.0.0.1:1"}, "origin"),
        ({"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "no-cors"}, "another site"),
        ({"Sec-Fetch-Site": "same-site", "Sec-Fetch-Mode": "cors"}, "another site"),
    ],
)
def test_other_sites_are_refused_for_reading_and_for_writing(client, headers, word):
    refused(client.get("/api/info", headers=headers), 403, word)
    refused(client.post("/api/documents", files=files(), headers=headers), 403, word)
    refused(client.post("/refine", files=files(), headers=headers), 403, word)


def test_the_own_page_and_a_link_from_elsewhere_are_let_in(client):
    own = {"Origin": f"http://127.0.0.1:{client.port}", "Sec-Fetch-Site": "same-origin"}
    assert client.post("/refine", files=files(), headers=own).status_code == 200
    link = {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate"}
    assert client.get("/health", headers=link).status_code == 200


@pytest.mark.parametrize("mark", ["", "0", "yes"])
def test_what_a_plain_form_could_send_changes_nothing(client, mark):
    headers = {"X-Edgewise": mark}
    refused(client.post("/api/documents", files=files(), headers=headers), 403, "X-Edgewise")
    refused(client.post("/api/queue/export", headers=headers), 403, "X-Edgewise")


def test_every_answer_carries_the_headers_that_protect_the_page(client):
    for path in ("/api/info", "/health", "/nothing", "/", "/openapi.json"):
        headers = client.get(path).headers
        assert "script-src 'self'" in headers["content-security-policy"]
        assert "unsafe" not in headers["content-security-policy"]
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["x-frame-options"] == "DENY"
        assert headers["referrer-policy"] == "no-referrer"
        assert "access-control-allow-origin" not in headers


@pytest.fixture(scope="module")
def guarded():
    access = Access(host="0.0.0.0", token=TOKEN, names=hosts_of(["studio.example"]))
    with serving(access=access) as client:
        yield client


def test_without_the_token_there_is_nothing_but_health(guarded):
    assert guarded.get("/health").status_code == 200
    for path in ("/", "/api/info", "/openapi.json", "/page/main.js", "/limits", "/?token=wrong"):
        refused(guarded.get(path), 401, "token")
    refused(guarded.post("/refine", files=files()), 401, "token")
    refused(guarded.post(f"/refine?token={TOKEN}", files=files()), 401, "token")


def test_a_program_sends_the_token_as_a_header(guarded):
    headers = {"Authorization": f"Bearer {TOKEN}"}
    assert guarded.post("/refine", files=files(), headers=headers).status_code == 200
    wrong = {"Authorization": f"Bearer {TOKEN}x"}
    refused(guarded.post("/refine", files=files(), headers=wrong), 401, "token")


def test_a_browser_brings_the_token_once_and_keeps_a_cookie(guarded):
    with httpx.Client(base_url=guarded.base_url, trust_env=False) as browser:
        entered = browser.get(f"/?token={TOKEN}")
        assert entered.status_code == 303
        assert entered.headers["location"] == "./"
        cookie = entered.headers["set-cookie"].lower()
        assert "samesite=strict" in cookie
        assert "httponly" in cookie
        assert browser.get("/api/info").status_code == 200


def test_elsewhere_addresses_and_known_names_will_do_and_rebound_names_will_not(guarded):
    key = {"Authorization": f"Bearer {TOKEN}"}
    for host, status in (("10.0.0.9:8765", 200), ("studio.example", 200), ("evil.example", 403)):
        assert guarded.get("/api/info", headers=key | {"Host": host}).status_code == status


def test_a_method_that_is_not_there_is_refused_like_all_else(client):
    refused(client.delete("/api/info"), 405, "Not Allowed")
    refused(client.get("/refine"), 405, "Not Allowed")
