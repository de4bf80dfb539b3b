"""The studio over HTTP: every route, in the order in which a page uses them."""

import threading

import httpx
import numpy as np
import pytest
from PIL import Image

from edgewise.cutout import cut_out
from edgewise.formats.annotation import Rle
from edgewise.formats.coco import open_coco
from edgewise.refiner import Refiner
from edgewise.studio.folder import HOME
from edgewise.studio.guard import Access
from edgewise.studio.limits import Limits
from tests.fakes import ColourEngine, overlap
from tests.studio.serving import (
    COARSE,
    PHOTO,
    SHAPE,
    TRUTH,
    coded,
    decoded,
    do,
    files,
    layer,
    opened,
    serving,
)

LIBRARY = Refiner(ColourEngine()).refine(PHOTO, COARSE)


@pytest.fixture(scope="module")
def client():
    with serving() as client:
        yield client


def test_info_tells_the_page_what_it_needs(client):
    info = client.get("/api/info").json()
    assert info["folder"] is None
    assert info["tile"] == 512
    assert info["limits"]["bytes"] == Limits().bytes
    assert client.get("/health").json()["status"] == "ok"
    assert client.get("/limits").json() == info["limits"]


def test_a_photo_is_opened_refined_drawn_on_taken_back_and_saved(client):
    state = opened(client)
    key = state["id"]
    assert (state["width"], state["height"], state["levels"]) == (SHAPE[1], SHAPE[0], 1)
    assert (state["has_mask"], state["refined"], state["can_undo"]) == (True, False, False)
    np.testing.assert_array_equal(layer(client, key) > 127, COARSE)

    state = do(client, key, "refine", {})
    refined = layer(client, key)
    np.testing.assert_array_equal(refined > 127, LIBRARY.mask)
    left, top, right, bottom = state["changed"]
    ys, xs = np.nonzero(refined != COARSE * 255)
    assert (left, top, right, bottom) == (xs.min(), ys.min(), xs.max() + 1, ys.max() + 1)

    do(client, key, "strokes", {"mode": "remove", "radius": 6, "points": [[40, 45], [44, 45]]})
    drawn = layer(client, key)
    assert not (drawn > 127)[45, 42]
    do(client, key, "strokes", {"mode": "lock", "radius": 3, "points": [[40, 45]]})
    assert set(np.unique(layer(client, key, "lock"))) == {0, 255}
    state = do(client, key, "refine", {"radius": 8, "points": [[42, 45]]})
    mended = layer(client, key)
    assert (mended > 127)[45, 46]
    assert not (mended > 127)[45, 40], "locked"

    for _ in range(4):
        state = do(client, key, "undo")
    np.testing.assert_array_equal(layer(client, key) > 127, COARSE)
    assert not state["can_undo"]
    for _ in range(4):
        state = do(client, key, "redo")
    np.testing.assert_array_equal(layer(client, key), mended)
    assert not state["can_redo"]
    assert client.get(f"/api/documents/{key}").json() == state | {"changed": None}

    files_at = f"/api/documents/{key}/files/"
    saved = client.get(files_at + "mask.png")
    np.testing.assert_array_equal(decoded(saved.content), mended > 127)
    assert saved.headers["content-disposition"].startswith('attachment; filename="photo-mask.png"')
    np.testing.assert_array_equal(decoded(client.get(files_at + "soft.png").content), mended)
    cutout = decoded(client.get(files_at + "cutout.png").content)
    np.testing.assert_array_equal(cutout, cut_out(PHOTO, mended / np.float32(255)))
    places = client.get(f"/api/documents/{key}/places").json()
    assert {"x", "y", "size", "kind", "score"} == set(places[0])


def test_the_coco_file_holds_the_mask(client, tmp_path):
    key = opened(client)["id"]
    path = tmp_path / "coco.json"
    path.write_bytes(client.get(f"/api/documents/{key}/files/coco.json").content)
    document = open_coco(path)
    (scene,) = document.scenes
    assert scene.photo == "photo.png"
    assert overlap(document.mask(scene.items[0], SHAPE).mask(), COARSE) > 0.97


def test_a_photo_without_a_mask_starts_with_a_box_or_scribbles(client):
    for form in (
        {"box": [30, 15, 90, 75]},
        {"strokes": [{"mode": "add", "radius": 5, "points": [[50, 45], [70, 45]]}]},
    ):
        state = opened(client, mask=None)
        assert not state["has_mask"]
        assert client.get(f"/api/documents/{state['id']}/files/mask.png").status_code == 409
        assert client.post(f"/api/documents/{state['id']}/refine", json={}).status_code == 409
        state = do(client, state["id"], "start", form)
        assert state["has_mask"]
        assert state["has_coarse"]
        assert overlap(layer(client, state["id"]) > 127, TRUTH) > 0.95


def test_tiles_say_how_long_they_hold(client):
    key = opened(client)["id"]
    photo = client.get(f"/api/documents/{key}/photo/0/0/0.jpg")
    assert np.abs(decoded(photo.content).astype(int) - PHOTO).mean() < 6
    assert "immutable" in photo.headers["cache-control"]
    at = f"/api/documents/{key}/mask/current/0/0/0.png"
    assert "immutable" in client.get(at + "?revision=0").headers["cache-control"]
    for stale in ("", "?revision=1"):
        assert client.get(at + stale).headers["cache-control"] == "no-store"
    for missing in ("photo/0/1/0.jpg", "photo/1/0/0.jpg", "mask/lock/0/0/7.png"):
        answer = client.get(f"/api/documents/{key}/{missing}")
        assert answer.status_code == 404
        assert answer.json()["error"]


@pytest.mark.parametrize(
    ("what", "form"),
    [
        ("strokes", {"mode": "paint", "radius": 1, "points": [[1, 1]]}),
        ("strokes", {"mode": "add", "radius": 0, "points": [[1, 1]]}),
        ("strokes", {"mode": "add", "radius": 1, "points": []}),
        ("strokes", {"mode": "add", "radius": 1, "points": [[1, 1e30]]}),
        ("strokes", {"mode": "add", "radius": 1, "points": [[1, 1]], "colour": 1}),
        ("refine", {"radius": 3}),
        ("start", {}),
        ("start", {"box": [5, 5, 5, 9]}),
        ("start", {"box": [500, 500, 600, 600]}),
    ],
)
def test_forms_that_make_no_sense_are_refused_with_a_reason(client, what, form):
    key = opened(client)["id"]
    answer = client.post(f"/api/documents/{key}/{what}", json=form)
    assert answer.status_code == 422
    assert len(answer.json()["error"]) > 10


def test_what_is_not_there_is_not_found(client):
    assert client.get("/api/documents/nothing").status_code == 404
    assert client.get("/api/queue").status_code == 404
    assert client.post("/api/documents/nothing/undo").status_code == 404
    key = opened(client)["id"]
    assert client.post(f"/api/documents/{key}/undo").status_code == 409
    assert client.post(f"/api/documents/{key}/redo").status_code == 409


@pytest.mark.parametrize("form", ["mask", "soft", "cutout", "rle"])
def test_the_public_api_gives_what_the_library_gives(client, form):
    answer = client.post("/refine", params={"as": form}, files=files(), headers={"X-Edgewise": ""})
    assert answer.status_code == 200
    if form == "rle":
        found = answer.json()
        size = (found["size"][0], found["size"][1])
        np.testing.assert_array_equal(Rle.from_counts(found["counts"], size).mask(), LIBRARY.mask)
        assert found["area"] == LIBRARY.mask.sum()
        return
    expected = {
        "mask": LIBRARY.mask,
        "soft": np.rint(LIBRARY.soft * 255).astype(np.uint8),
        "cutout": cut_out(PHOTO, LIBRARY.soft),
    }[form]
    np.testing.assert_array_equal(decoded(answer.content), expected)


def test_an_empty_mask_comes_back_empty(client):
    answer = client.post("/refine", files=files(mask=np.zeros(SHAPE, bool)))
    assert not decoded(answer.content).any()


class GatedEngine(ColourEngine):
    """Waits until it may run, and counts."""

    def __init__(self):
        super().__init__()
        self.go, self.begun = threading.Event(), threading.Event()

    def __call__(self, views):
        self.begun.set()
        self.go.wait(30)
        return super().__call__(views)


def in_background(call):
    """A thread that makes a call and keeps its answer."""
    answers = []
    thread = threading.Thread(target=lambda: answers.append(call()))
    thread.start()
    return thread, answers


def test_a_busy_document_says_so_and_takes_no_other_work():
    engine = GatedEngine()
    with serving(engine, limits=Limits(waiting=0)) as client:
        key, other = opened(client)["id"], opened(client)["id"]
        thread, answers = in_background(
            lambda: client.post(f"/api/documents/{key}/refine", json={})
        )
        assert engine.begun.wait(30)
        assert client.get(f"/api/documents/{key}").json()["busy"] == {"what": "refine", "done": 0}
        for what in ("refine", "undo", "redo"):
            form = {} if what == "refine" else None
            assert client.post(f"/api/documents/{key}/{what}", json=form).status_code == 409
        assert client.get(f"/api/documents/{key}/mask/current/0/0/0.png").status_code == 200
        for full in (
            client.post(f"/api/documents/{other}/refine", json={}),
            client.post("/refine", files=files()),
        ):
            assert full.status_code == 503
            assert int(full.headers["retry-after"]) >= 1
        assert client.get(f"/api/documents/{other}").json()["busy"] is None
        engine.go.set()
        thread.join()
        assert answers[0].status_code == 200
        assert client.get(f"/api/documents/{key}").json()["busy"] is None


def test_work_ends_and_changes_nothing_when_its_client_leaves():
    engine = GatedEngine()
    with serving(engine) as client:
        key = opened(client)["id"]
        with pytest.raises(httpx.ReadTimeout):
            client.post(f"/api/documents/{key}/refine", json={}, timeout=1)
        assert engine.begun.is_set()
        threading.Event().wait(0.5)  # the server looks every tenth of a second
        engine.go.set()
        for _ in range(100):
            if client.get("/health").json()["jobs"] == 0:
                break
            threading.Event().wait(0.05)
        state = client.get(f"/api/documents/{key}").json()
        assert state["busy"] is None
        assert state["revision"] == 0
        assert len(engine.shapes) == 1


def test_work_that_takes_too_long_is_answered_with_503():
    engine = GatedEngine()
    with serving(engine, limits=Limits(seconds=1)) as client:
        answer = client.post("/refine", files=files())
        assert answer.status_code == 503
        assert "not done within 1 s" in answer.json()["error"]
        engine.go.set()


@pytest.fixture
def folder(tmp_path):
    for name, picture in (("a_im.png", PHOTO), ("a_seg.png", COARSE), ("b_im.png", PHOTO)):
        Image.fromarray(picture).save(tmp_path / name)
    return tmp_path


def test_a_folder_is_worked_through_over_two_servers(folder):
    with serving(folder=folder) as client:
        queue = client.get("/api/queue").json()
        assert queue["counts"]["new"] == 2
        a, b = (entry["key"] for entry in queue["entries"])
        first = client.post(f"/api/queue/{a}/open").json()
        assert first["status"] == "new"
        do(client, first["id"], "refine", {})
        second = client.post(f"/api/queue/{b}/open").json()
        assert not second["has_mask"]
        refused = client.post(f"/api/queue/{b}/status", json={"status": "accepted", "seconds": 1})
        assert refused.status_code == 409
        do(client, second["id"], "start", {"box": [30, 15, 90, 75]})
        assert client.get("/api/queue").json()["entries"][1]["has_mask"]
        mask = layer(client, first["id"])
    journal = next(path for path in (folder / HOME).iterdir() if a in path.name)
    journal.write_bytes(journal.read_bytes() + b'{"do": "stroke", "patches": [{"lay')  # killed

    with serving(folder=folder) as client:
        again = client.post(f"/api/queue/{a}/open").json()
        assert again["revision"] == 1
        assert again["can_undo"]
        np.testing.assert_array_equal(layer(client, again["id"]), mask)
        assert client.post(f"/api/queue/{a}/open").json()["id"] == again["id"]
        for key, status in ((a, "accepted"), (b, "fixed")):
            form = {"status": status, "seconds": 4.5}
            entry = client.post(f"/api/queue/{key}/status", json=form).json()
            assert (entry["status"], entry["seconds"]) == (status, 4.5)
        assert client.get(f"/api/documents/{again['id']}").json()["status"] == "accepted"
        answer = client.post("/api/queue/export").json()
        assert answer["photos"] == 2
        assert len(list((folder / answer["folder"]).iterdir())) == 6
        assert client.post("/api/queue/nothing/open").status_code == 404


def test_names_that_are_no_utf8_do_not_hide_the_queue(tmp_path):
    folder = tmp_path / "cats\udcff"
    folder.mkdir()
    Image.fromarray(PHOTO).save(folder / "b\udcff.png")
    (folder / "c\udcff.png").write_text("no picture")
    with serving(folder=folder) as client:
        assert client.get("/api/info").json()["folder"] == "cats\ufffd"
        queue = client.get("/api/queue").json()
        (entry,) = queue["entries"]
        assert entry["name"] == "b\ufffd.png"
        assert "cats\ufffd/c\ufffd.png" in queue["problems"][0]
        opened = client.post(f"/api/queue/{entry['key']}/open")
        assert opened.json()["name"] == "b\ufffd.png"


def test_undoing_a_mask_undoes_that_it_was_accepted(folder):
    with serving(folder=folder) as client:
        key = client.get("/api/queue").json()["entries"][1]["key"]
        document = client.post(f"/api/queue/{key}/open").json()["id"]
        form = {"mode": "add", "radius": 5, "points": [[30, 30]]}
        do(client, document, "strokes", form)
        client.post(f"/api/queue/{key}/status", json={"status": "accepted", "seconds": 1})
        undone = do(client, document, "undo")
        assert (undone["has_mask"], undone["status"]) == (False, "new")
        assert client.post("/api/queue/export").status_code == 409


def test_behind_a_proxys_path_everything_is_where_it_should_be():
    access = Access(token="a-long-token")
    with serving(root_path="/studio", access=access) as client:
        entered = client.get("/?token=a-long-token")
        assert entered.headers["location"] == "./"
        assert "path=/studio/;" in entered.headers["set-cookie"].lower()
        client.headers["Authorization"] = "Bearer a-long-token"
        for prefix in ("", "/studio"):  # a proxy may take the prefix away or leave it
            assert client.get(prefix + "/api/info").status_code == 200
            assert client.get(prefix + "/").status_code in (200, 404)
            marked = {"X-Edgewise": "0"}
            refused = client.post(prefix + "/api/documents", files=files(), headers=marked)
            assert refused.status_code == 403
        assert client.get("/openapi.json").json()["servers"] == [{"url": "/studio"}]


def test_the_page_and_its_parts_come_from_the_package(client):
    page = client.get("/")
    assert page.headers["content-type"].startswith("text/html")
    for outside in ("/page/../app.py", "/page/%2e%2e/app.py", "/page//etc/passwd", "/page/"):
        assert client.get(outside).status_code in (404, 405)


def test_the_openapi_document_is_there_and_no_page_that_needs_others(client):
    document = client.get("/openapi.json").json()
    assert "/refine" in document["paths"]
    assert set(document["paths"]["/refine"]["post"]["responses"]) >= {"200", "413", "415", "503"}
    for path in ("/docs", "/redoc"):
        assert client.get(path).status_code == 404


def test_names_of_photos_come_back_in_any_writing(client):
    answer = client.post("/api/documents", files={"photo": ("Bär \u202e 1.png", coded(PHOTO))})
    assert answer.json()["name"] == "Bär  1.png"
    do(client, answer.json()["id"], "strokes", {"mode": "add", "radius": 5, "points": [[9, 9]]})
    saved = client.get(f"/api/documents/{answer.json()['id']}/files/mask.png")
    assert "filename*=UTF-8''B%C3%A4r" in saved.headers["content-disposition"]
