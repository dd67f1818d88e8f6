from __future__ import annotations

import sys
from pathlib import Path

import pytest
from platformdirs import user_log_path

from wheelkit.errors import OutputError
from wheelkit.machine import workspace as workspaces
from wheelkit.machine.process import Command, Run
from wheelkit.machine.progress import Progress
from wheelkit.machine.workspace import Workspace, open_workspace


def interrupted_work() -> None:
    with open_workspace(Progress(), "build") as workspace:
        (workspace.new_folder("x") / "file").touch()
        raise KeyboardInterrupt


def test_a_workspace_removes_its_folder_however_it_ends(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    with pytest.raises(KeyboardInterrupt):
        interrupted_work()
    assert not list(tmp_path.glob("wheelkit-*"))
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "nowhere"))
    with pytest.raises(OutputError, match="nowhere"), open_workspace(Progress(), "build"):
        pass


@pytest.fixture
def roomy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Have temporary files go to a folder of the test's own, however long its name is."""
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    for name, value in (("TMPDIR", str(tmp_path)), ("XDG_STATE_HOME", str(tmp_path / "state")), ("PATH", "")):
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(workspaces, "_MAX_SCRATCH_LENGTH", 1000)


def leave_temporary_file(workspace: Workspace, runner: Run) -> list[str]:
    """Let a program make a temporary file, and list what there is."""
    code = "import os, sys, tempfile; os.close(tempfile.mkstemp(prefix='left-')[0])"
    assert runner(Command(argv=(sys.executable, "-c", code))).returncode == 0
    return [
        path.name for folder in (workspace.folder, workspace.folder.parent) for path in folder.glob("left-*")
    ]


@pytest.mark.usefixtures("roomy")
def test_what_programs_leave_behind_goes_with_the_workspace(tmp_path: Path) -> None:
    with open_workspace(Progress(), "build") as workspace:
        assert len(leave_temporary_file(workspace, workspace.run)) == 1
        assert len(leave_temporary_file(workspace, workspace.for_job("x", lambda: False).run)) == 2
    assert [path.name for path in tmp_path.iterdir()] == ["state"]


@pytest.mark.usefixtures("roomy")
def test_a_server_that_outlives_the_build_keeps_the_users_own_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RUSTC_WRAPPER", "sccache")
    with open_workspace(Progress(), "build") as workspace:
        assert len(leave_temporary_file(workspace, workspace.run)) == 1
    assert len(list(tmp_path.glob("left-*"))) == 1


SHORT = "/scratch/wheelkit-abcdefgh"


@pytest.mark.parametrize(
    ("folder", "environ", "expected"),
    [
        (SHORT, {}, True),
        ("/var/folders/zz/zyxvpxvq6csfxvn_n00000s0000068/T/wheelkit-abcdefgh", {}, True),
        ("/" + 69 * "x", {}, True),
        ("/" + 70 * "x", {}, False),  # sockets would not fit
        ("/" + 36 * "ü", {}, False),
        (SHORT, {"CC": "/opt/sccache gcc"}, False),
        (SHORT, {"CC": "ccache gcc", "PWD": "/my-sccache-test"}, True),
    ],
)
def test_where_temporary_files_may_lie(folder: str, environ: dict[str, str], *, expected: bool) -> None:
    assert workspaces._may_hold_temporary_files(folder, {"PATH": "", **environ}) is expected


def test_sccache_on_path_is_seen(tmp_path: Path) -> None:
    assert workspaces._may_hold_temporary_files(SHORT, {"PATH": str(tmp_path)})
    (tmp_path / "sccache").touch(mode=0o755)
    assert not workspaces._may_hold_temporary_files(SHORT, {"PATH": str(tmp_path)})


def test_logs_go_to_the_users_state_folder_and_old_ones_are_removed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:

    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    folder = user_log_path("wheelkit", appauthor=False)
    if not folder.is_relative_to(tmp_path):
        pytest.skip("this system has another place for logs")
    folder.mkdir(parents=True)
    for number in range(140):
        (folder / f"20260101T{number:06}-1-build.log").touch()
    log = workspaces._log_file("build")
    assert log.parent == folder
    assert len(list(folder.glob("*.log"))) == 100
    assert (folder / "20260101T000139-1-build.log").exists()


@pytest.mark.usefixtures("roomy")
def test_every_command_sees_the_added_environment_also_in_jobs() -> None:
    with open_workspace(Progress(), "build") as opened:
        workspace = opened.with_env({"SET": "1"}).with_env({"MORE": "2"})
        for run in (workspace.run, workspace.for_job("x", lambda: False).run):
            code = "import os; print(os.environ['SET'], os.environ['MORE'])"
            assert run(Command(argv=(sys.executable, "-c", code))).output == "1 2\n"
        assert workspace.for_job("x", None) is workspace
        assert workspace.for_job("x", lambda: False).log.name.endswith("build-x.log")
