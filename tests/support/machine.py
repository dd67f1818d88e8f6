"""What the machine that runs the tests says to programs, which changes no test."""

from __future__ import annotations

import os
import sys
import time

# Names, or with * their beginnings: terminals, languages, services, and where settings and state are kept.
FORGOTTEN = (
    *("FORCE_COLOR", "NO_COLOR", "CLICOLOR", "CLICOLOR_FORCE", "COLUMNS", "LINES", "TTY_COMPATIBLE"),
    *("LC_*", "LANG", "LANGUAGE", "PYTHONWARNINGS", "PYTHONIOENCODING", "PYTHONUTF8"),
    *("GITHUB_*", "GITLAB_*", "XDG_CONFIG_HOME", "XDG_STATE_HOME", "XDG_DATA_HOME"),
)
PLAIN = {"TERM": "xterm", "TZ": "UTC", "LC_ALL": "C.UTF-8"}
LOOPBACK = ("localhost", "127.0.0.1", "::1")


def forget() -> None:
    """Make the environment of this process the same everywhere, apart from how it reaches the network.

    The servers of tests are on this machine, so no proxy is asked for them.
    """
    for name in list(os.environ):
        if any(name == one or (one.endswith("*") and name.startswith(one[:-1])) for one in FORGOTTEN):
            del os.environ[name]
    os.environ.update(PLAIN)
    for name in ("NO_PROXY", "no_proxy"):
        direct = os.environ.get(name, "")
        if direct != "*":
            os.environ[name] = ",".join(filter(None, (direct, *LOOPBACK)))
    if sys.platform != "win32":
        time.tzset()
        os.umask(0o022)
