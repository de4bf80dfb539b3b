"""Who may ask: hosts, origins, tokens."""

import pytest

from edgewise.errors import InputError
from edgewise.studio.guard import Access, hosts_of, is_loopback
from edgewise.studio.limits import Limits


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "127.0.0.9", "::1"])
def test_loopback_is_known(host):
    assert is_loopback(host)


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.1.5", "example.org", ""])
def test_what_others_can_reach_is_no_loopback(host):
    assert not is_loopback(host)


@pytest.mark.parametrize(
    ("bound", "host", "allowed"),
    [
        ("127.0.0.1", "127.0.0.1", True),
        ("127.0.0.1", "LOCALHOST", True),
        ("127.0.0.1", "localhost.", True),
        ("127.0.0.1", "evil.example", False),
        ("127.0.0.1", "127.0.0.1.evil.example", False),
        ("127.0.0.1", "192.168.1.5", False),
        ("127.0.0.1", "", False),
        ("127.0.0.1", "studio.example", True),
        ("0.0.0.0", "192.168.1.5", True),
        ("0.0.0.0", "evil.example", False),
        ("box.local", "box.local", True),
    ],
)
def test_only_this_servers_names_are_allowed(bound, host, allowed):
    access = Access(host=bound, names=hosts_of(["Studio.example."]))
    assert access.allows_host(host) is allowed


def test_a_token_is_compared_as_a_whole():
    access = Access(token="secret-token")
    assert access.knows("secret-token")
    for wrong in (None, "", "secret-toke", "secret-token ", "\udc80"):
        assert not access.knows(wrong)
    assert Access().knows(None)


def test_servers_with_different_tokens_have_different_cookies():
    assert Access(token="one-token").cookie != Access(token="two-token").cookie


@pytest.mark.parametrize("wrong", [{"bytes": 0}, {"waiting": -1}, {"seconds": float("nan")}])
def test_limits_that_cannot_work_are_refused(wrong):
    with pytest.raises(InputError, match="expected"):
        Limits(**wrong)
