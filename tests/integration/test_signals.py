"""Commands that signals interrupt at random moments: the short form of ci/signals.py."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from support.signal_campaign import run_campaign

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="looks at processes in /proc")
SHORT = 20
COMMANDS = ("build", "build from the cache", "build a family", "smoke", "publish", "release")


def test_random_moments(tmp_path: Path) -> None:
    outcomes = run_campaign(tmp_path, SHORT, 1, COMMANDS)
    assert [outcome for outcome in outcomes if outcome.problems] == []
    assert {outcome.name for outcome in outcomes} == {*COMMANDS}
    assert sum(outcome.code == 130 for outcome in outcomes) > SHORT // 2
