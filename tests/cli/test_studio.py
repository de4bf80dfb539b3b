"""`edgewise studio`: what it prints and what it refuses; the server itself is tested apart."""

import sys

import pytest

from edgewise.cli import BAD_INPUT, main
from edgewise.network import runtime
from tests.fakes import ColourEngine, NothingProposer

uvicorn = pytest.importorskip("uvicorn")


@pytest.fixture
def run(monkeypatch, capsys):
    """Run the command with a server that ends at once; gives status, output, errors and app."""
    apps = []

    def serve(self, sockets):
        assert sockets[0].getsockname()[1] > 0
        apps.append(self.config.app)

    def ran(*arguments):
        monkeypatch.setattr(uvicorn.Server, "run", serve)
        monkeypatch.setattr(runtime, "OnnxEngine", lambda *_, **__: ColourEngine())
        monkeypatch.setattr(runtime, "OnnxProposer", NothingProposer)
        monkeypatch.setattr(sys, "argv", ["edgewise", "studio", *map(str, arguments)])
        status = 0
        try:
            main()
        except SystemExit as stopped:
            status = stopped.code or 0
        return status, *capsys.readouterr()

    yield ran
    for app in apps:
        app.state.studio.close()


def test_on_loopback_it_prints_its_address_and_nothing_else(run):
    status, output, errors = run("--port", 0)
    assert status == 0
    assert output.startswith("edgewise studio: http://127.0.0.1:")
    assert "token" not in output
    assert errors == ""


def test_elsewhere_it_warns_and_makes_up_a_token(run):
    status, output, errors = run("--host", "0.0.0.0", "--port", 0)
    assert status == 0
    assert "warning: other machines can reach this studio" in errors
    assert len(output.partition("?token=")[2].strip()) >= 30


def test_a_token_of_ones_own_is_taken_from_the_environment_too(run, monkeypatch):
    monkeypatch.setenv("EDGEWISE_TOKEN", "my-own-token")
    assert "?token=my-own-token" in run("--port", 0)[1]


@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        (["--token", "short"], "--token has 5 characters"),
        (["--allow-host", "https://studio.example.org"], "expected a name alone"),
        (["--allow-host", "studio.example.org:8080"], "expected a name alone"),
        (["--token", "with spaces in it"], "other characters"),
        (["--root-path", "studio"], "begins with /"),
        (["--host", "no such host"], "--host no such host"),
        (["--host", "a..b"], "--host a..b: "),
        (["--host", "a" * 70 + ".example"], "--host aaaa"),
        (["no-such-folder"], "cannot be listed"),
    ],
)
def test_what_cannot_be_is_told_in_one_line(run, arguments, word):
    status, _, errors = run("--port", 0, *arguments)
    assert status == BAD_INPUT
    assert word in errors
    assert errors.count("\n") == 1


def test_a_port_that_is_taken_is_told(run):
    import socket

    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        status, _, errors = run("--port", other.getsockname()[1])
    assert status == BAD_INPUT
    assert "--port 0" in errors


def test_a_missing_extra_says_what_to_install(run, monkeypatch):
    monkeypatch.setitem(sys.modules, "uvicorn", None)
    status, _, errors = run()
    assert status == BAD_INPUT
    assert "pip install 'edgewise[studio]'" in errors
