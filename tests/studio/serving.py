"""A studio on a port of its own, and pictures to send to it."""

import io
import threading
import time
from contextlib import contextmanager

import httpx
import numpy as np
import uvicorn
from PIL import Image

from edgewise.refiner import Refiner
from edgewise.studio.app import create_app
from tests.fakes import ColourEngine, disc, red_on_blue

MARK = {"X-Edgewise": "1"}
SHAPE = (90, 120)
TRUTH = disc(SHAPE, (45, 60), 24)
PHOTO = red_on_blue(TRUTH)
COARSE = disc(SHAPE, (45, 60), 20)


@contextmanager
def serving(engine=None, **options):
    """The address of a running studio, as the base of a client that may change things."""
    app = create_app(Refiner(engine or ColourEngine()), **options)
    config = uvicorn.Config(app, port=0, log_level="error", ws="none", lifespan="on")
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run)
    thread.start()
    try:
        while not server.started:
            time.sleep(0.01)
        port = server.servers[0].sockets[0].getsockname()[1]
        with httpx.Client(
            base_url=f"http://127.0.0.1:{port}", headers=MARK, timeout=60, trust_env=False
        ) as client:
            client.app = app
            client.port = port
            yield client
    finally:
        server.should_exit = True
        thread.join()


def coded(picture, form="PNG", **options):
    """A picture, uint8 or bool, as a file's bytes."""
    stream = io.BytesIO()
    Image.fromarray(picture).save(stream, form, **options)
    return stream.getvalue()


def decoded(data):
    """The pixels of a file's bytes."""
    with Image.open(io.BytesIO(data)) as picture:
        return np.asarray(picture)


def files(photo=PHOTO, mask=COARSE, name="photo.png"):
    """A form's files of a photo and, unless None, a mask."""
    found = {"photo": (name, coded(photo))}
    return found if mask is None else found | {"mask": ("mask.png", coded(mask))}


def opened(client, **options):
    """The state of a document just opened."""
    answer = client.post("/api/documents", files=files(**options))
    assert answer.status_code == 201, answer.text
    return answer.json()


def do(client, key, what, form=None):
    """The state of a document after an operation that goes well."""
    answer = client.post(f"/api/documents/{key}/{what}", json=form)
    assert answer.status_code == 200, answer.text
    return answer.json()


def layer(client, key, which="current"):
    """A small document's layer, uint8 HxW: its one tile."""
    answer = client.get(f"/api/documents/{key}/mask/{which}/0/0/0.png")
    assert answer.status_code == 200, answer.text
    return decoded(answer.content)
