"""A project or family from `wheelkit init` builds and proves itself at once, without editing anything."""

from __future__ import annotations

from pathlib import Path

from command import Wheelkit


def test_a_new_project_builds_and_proves_itself_at_once(tmp_path: Path, wheelkit: Wheelkit) -> None:
    folder = tmp_path / "momentum-core"
    folder.mkdir()
    assert wheelkit("init", cwd=folder).returncode == 0
    built = wheelkit("build", "--builder", "host", cwd=folder)
    assert built.returncode == 0
    assert [line.split()[0].endswith(end) for line, end in zip(built.stdout.splitlines(), (".tar.gz", ".whl"), strict=True)] == [True, True]
    assert wheelkit("verify-matrix", "dist", "--native", cwd=folder).returncode == 0
    assert wheelkit("ci", "--check", cwd=folder).returncode == 0


def test_a_new_family_builds_and_proves_itself_at_once(tmp_path: Path, wheelkit: Wheelkit) -> None:
    assert wheelkit("init", "--family", "--name", "momentum", cwd=tmp_path).returncode == 0
    assert wheelkit("build", "--builder", "host", cwd=tmp_path).returncode == 0
    assert sorted(path.name.split("-")[0] for path in (tmp_path / "dist").glob("*.whl")) == ["momentum", "momentum_all", "momentum_cli"]
    assert wheelkit("verify-matrix", "dist", "--native", cwd=tmp_path).returncode == 0
