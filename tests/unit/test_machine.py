"""No test depends on what the machine says: variables are forgotten, and proxies are for other hosts."""

from __future__ import annotations

import os
import sys
from urllib.request import proxy_bypass_environment

import pytest

from support.machine import forget


def test_what_a_machine_says_is_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("FORCE_COLOR", "COLUMNS", "LC_CTYPE", "GITHUB_ACTIONS", "XDG_STATE_HOME", "PYTHONWARNINGS"):
        monkeypatch.setenv(name, "1")
    for name in ("TERM", "TZ", "LC_ALL"):
        monkeypatch.setenv(name, "odd")
    monkeypatch.setenv("NO_PROXY", "intranet.example")
    monkeypatch.delenv("no_proxy", raising=False)
    forget()
    assert not {"FORCE_COLOR", "COLUMNS", "LC_CTYPE", "GITHUB_ACTIONS", "XDG_STATE_HOME"} & set(os.environ)
    assert (os.environ["TZ"], os.environ["LC_ALL"]) == ("UTC", "C.UTF-8")
    for host in ("127.0.0.1:8000", "localhost", "intranet.example"):
        assert proxy_bypass_environment(host, {"no": os.environ["NO_PROXY"]})
    assert not proxy_bypass_environment("index.example", {"no": os.environ["NO_PROXY"]})
    if sys.platform != "win32":
        mask = os.umask(0o022)
        assert mask == 0o022


def test_where_nothing_is_reached_through_a_proxy_that_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_PROXY", "*")
    forget()
    assert os.environ["NO_PROXY"] == "*"
