"""The command reports every malformed wheel by its code, without a traceback, in no more than 300 MB."""

import json
import os
from pathlib import Path

import pytest

import malformed
from support.severities import harms

MEGABYTES = 300
pytestmark = pytest.mark.skipif(
    not hasattr(os, "wait4"), reason="this system does not report a process's memory"
)


@pytest.mark.filterwarnings("ignore:Duplicate name:UserWarning")
@pytest.mark.parametrize("name", malformed.MALFORMED)
def test_the_command_catches_it(name: str, tmp_path: Path) -> None:
    code = malformed.MALFORMED[name].code
    run = malformed.run_verify(malformed.MALFORMED[name].write(tmp_path))
    report = json.loads(run.out)
    assert code in {finding["code"] for finding in report["findings"]}
    # Warnings and notes do not fail the run.
    worst = {finding["severity"] for finding in report["findings"]}
    assert run.exit_code == ("error" in worst)
    assert harms()[code].severity in worst
    assert "Traceback" not in run.err
    assert run.err == ""
    assert run.megabytes < MEGABYTES
