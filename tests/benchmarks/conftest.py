"""A host that plays Drive, and a client that does not wait between tries."""

import pytest

from edgewise.benchmarks.store import Store
from edgewise.benchmarks.web import Web
from tests.benchmarks import host as host_module


@pytest.fixture
def host():
    with host_module.running() as running:
        yield running


@pytest.fixture
def pauses():
    return []


@pytest.fixture
def web(host, pauses):
    with Web(drive_url=host.url, retries=3, timeout=10, pause=pauses.append) as client:
        yield client


@pytest.fixture
def store(tmp_path):
    return Store(tmp_path / "store")
