"""Standard output or standard error that is closed, full or a pipe without a reader, for every command."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any, TextIO

import pytest
from msgspec import Struct

from support.cache_stress import make_project
from support.command import git_commit
from support.wheels import PURE, write_wheel
from wheelkit import manifest
from wheelkit.cli import COMMANDS, publish, repair, smoke
from wheelkit.cli import release as releases
from wheelkit.command_line import main
from wheelkit.publish.plan import make_plan
from wheelkit.publish.simple_api import Listing
from wheelkit.release import ReleaseResult
from wheelkit.repair.run import Repaired
from wheelkit.smoke.model import SmokeResult

pytestmark = pytest.mark.skipif(not Path("/dev/full").exists(), reason="breaks streams in the way of Linux")
REASONS = {"closed": "Bad file descriptor", "full": "No space left on device", "gone": "Broken pipe"}
SETTINGS = """
[tool.wheelkit.ci]
staging = "here"
production = "there"
[tool.wheelkit.index.here]
upload = "http://h.invalid/legacy/"
simple = "http://h.invalid/simple/"
[tool.wheelkit.index.there]
upload = "http://t.invalid/legacy/"
simple = "http://t.invalid/simple/"
"""
# Every command in its forms, with what a message says of a command that has changed something.
FORMS = {
    "": "",
    "--version": "",
    "--help": "",
    "build --help": "",
    "nothing": "",
    "plan": "",
    "plan --json": "",
    "build --dry-run": "",
    "build --dry-run --json": "",
    "build -o new": "new has 2 built files, with manifests",
    "build -o new --json": "new has 2 built files, with manifests",
    "repair ../demo-1.0-py3-none-any.whl --target manylinux_2_28_x86_64": "demo.whl is written",
    "repair ../demo-1.0-py3-none-any.whl --target manylinux_2_28_x86_64 --json": "demo.whl is written",
    "inspect ../demo-1.0-py3-none-any.whl": "",
    "inspect ../demo-1.0-py3-none-any.whl --json": "",
    "inspect ../demo-1.0-py3-none-any.whl ../demo-2.0-py3-none-any.whl": "",
    "inspect ../demo-1.0-py3-none-any.whl ../demo-2.0-py3-none-any.whl --json": "",
    "verify-matrix ../demo-1.0-py3-none-any.whl": "",
    "verify-matrix ../demo-1.0-py3-none-any.whl --json": "",
    "verify-matrix ../demo-1.0-py3-none-any.whl --format markdown": "",
    "verify-matrix ../bad-1.0-py3-none-any.whl": "",
    "verify-matrix ../bad-1.0-py3-none-any.whl --json": "",
    "verify-matrix ../bad-1.0-py3-none-any.whl --format github": "",
    "verify-matrix nowhere": "",
    "smoke dist": "",
    "smoke dist --json": "",
    "smoke nowhere": "",
    "version show": "",
    "version show --json": "",
    "version check": "",
    "version check --json": "",
    "version bump patch": "changed pyproject.toml",
    "version bump patch --json": "changed pyproject.toml",
    "version set 3.0": "changed pyproject.toml",
    "version dev --json": "changed pyproject.toml",
    "version tag --no-remote": "tagged v1.0",
    "version tag --no-remote --json": "tagged v1.0",
    "explain": "",
    "explain --json": "",
    "explain WK101": "",
    "explain WK999": "",
    "publish dist --to here": "the whole release is on here",
    "publish dist --to here --json": "the whole release is on here",
    "publish dist --to here --dry-run": "",
    "publish dist --to here --dry-run --json": "",
    "release dist": "the whole release is on here\n  the whole release is on there",
    "release dist --json": "the whole release is on here\n  the whole release is on there",
    "fetch-dist --from dist": "dist has 2 fetched files",
    "fetch-dist --from dist --json": "dist has 2 fetched files",
    "ci": "the workflows are written",
    "ci --json": "the workflows are written",
    "ci --check": "",
    "ci --check --json": "",
    "ci --matrix": "",
    "doctor --offline": "",
    "doctor --offline --json": "",
    "init --yes new": "wrote README.md, .gitignore",
    "init --yes ../bare": "",
    "clean": "4 files removed from dist",
    "clean --cache --yes": "1 file removed from",
}


class Ended(Struct, frozen=True, kw_only=True):
    """How a command ended, what it printed, and the project's files, without what git keeps."""

    code: int
    out: str
    err: str
    files: frozenset[str]

    @property
    def has_json(self) -> bool:
        """Whether standard output has a JSON document."""
        return self.out.startswith(("{", "["))


@pytest.fixture(scope="module")
def origin(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project under git that is built, and wheels and another project beside it."""
    folder = tmp_path_factory.mktemp("endings")
    project = make_project(folder / "project", 1)
    with (project / "pyproject.toml").open("a") as stream:
        stream.write(SETTINGS)
    (project / ".gitignore").write_text("dist/\n")
    git_commit(project)
    subprocess.run([sys.executable, "-m", "wheelkit", "build"], cwd=project, check=True, capture_output=True)
    (folder / "bare").mkdir()
    (folder / "bare/pyproject.toml").write_text('[project]\nname = "bare"\nversion = "1"\n')
    (folder / "bad-1.0-py3-none-any.whl").write_bytes(b"no archive")
    for version in ("1.0", "2.0"):
        write_wheel(folder, PURE.replace("1.0", version))
    return folder


Run = Callable[..., Ended]


@pytest.fixture
def run(origin: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Return a function that runs a command in a copy of the project, by default with good streams."""
    (tmp_path / "gitconfig").write_text("[user]\nname = test\nemail = test@localhost\n")
    for name, value in (
        ("CIBW_CONTAINER_ENGINE", "none"),
        ("XDG_STATE_HOME", str(tmp_path / "state")),
        ("WHEELKIT_CACHE_DIR", str(tmp_path / "cache")),
        ("GIT_CONFIG_GLOBAL", str(tmp_path / "gitconfig")),
    ):
        monkeypatch.setenv(name, value)
    (tmp_path / "cache/v2/answers").mkdir(parents=True)
    (tmp_path / "cache/v2/answers/x").write_text("x")
    replace_slow_parts(monkeypatch)
    numbers = iter(range(100))

    def run_in_copy(words: str, out: str = "", err: str = "") -> Ended:
        folder = tmp_path / str(next(numbers))
        shutil.copytree(origin, folder, symlinks=True)
        monkeypatch.chdir(folder / "project")
        captured = [tmp_path / "out", tmp_path / "err"]
        with opened(out, captured[0]) as out_stream, opened(err, captured[1]) as err_stream:
            previous = sys.stdout, sys.stderr
            sys.stdout, sys.stderr = out_stream, err_stream  # type: ignore[assignment] # None when closed
            try:
                code = main(words.split())
            finally:
                sys.stdout, sys.stderr = previous
        texts = [path.read_text() for path in captured]
        files = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}
        mine = frozenset(file for file in files if "/.git/" not in file and "__pycache__" not in file)
        return Ended(code=code, out=texts[0], err=texts[1], files=mine)

    return run_in_copy


@contextmanager
def opened(kind: str, path: Path) -> Iterator[TextIO | None]:
    """Open a stream that cannot be written, or else a file."""
    path.write_text("")
    if kind == "closed":
        yield None
        return
    if kind == "gone":
        reader, descriptor = os.pipe()
        os.close(reader)
    else:
        descriptor = os.open("/dev/full" if kind == "full" else path, os.O_WRONLY)
    with os.fdopen(descriptor, "w", encoding="utf-8") as stream:
        yield stream


def replace_slow_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    """Replace what talks to an index or runs tools; how a command ends does not depend on it."""

    def published(release: Any, index: Any, _session: Any, on_plan: Callable[[Any], None]) -> Any:
        listings = {files.key: Listing(project=files.key) for files in release.distributions}
        plan = make_plan(release, index, listings)
        on_plan(plan)
        return publish.publish.PublishResult(plan=plan, uploaded=tuple(file.name for file in plan.todo))

    def released(request: Any, session: Any, workspace: Any, observer: Any) -> ReleaseResult:
        copies = workspace.new_folder("release")
        release = publish.publish.collect_release(request.dist, request.terms.family, copies)
        stages = []
        for index in request.stages:
            stages.append(published(release, index, session, observer.plan))
            observer.published(stages[-1])
        return ReleaseResult(release=release, stages=tuple(stages), created_tags=())

    def repaired(path: Path, _recipe: Any, out: Path, _run: Any) -> Repaired:
        out.mkdir(exist_ok=True)
        (out / "demo.whl").write_bytes(path.read_bytes())
        return Repaired(path=out / "demo.whl", grafted=(), excluded=(), unmatched=())

    plans = SimpleNamespace(**{name: getattr(publish.publish, name) for name in publish.publish.__all__})
    plans.publish, plans.require_publishable = published, lambda *_: None
    plans.plan_publication = lambda release, index, _client: make_plan(
        release, index, {files.key: Listing(project=files.key) for files in release.distributions}
    )
    monkeypatch.setattr(publish, "publish", plans)
    monkeypatch.setattr(releases.release, "run_release", released)
    monkeypatch.setattr(repair, "repair", repaired)
    monkeypatch.setattr(smoke, "smoke", lambda request, _workspace: _smoked(request))


def _smoked(request: Any) -> SmokeResult:
    if not request.dist.is_dir():
        raise smoke.UsageError("there is no such folder", hint="give another")
    return SmokeResult(results=(), notes=("a note",))


def told(kind: str, stream: str) -> str:
    return f"wheelkit: standard {stream} cannot be written: {REASONS[kind]}"


def plain(text: str) -> str:
    """Return a text without what differs between runs: times, hashes, and the numbers of folders."""
    return re.sub(r"\b[0-9a-f]*\d[0-9a-f.]*|\d", "0", text)


def test_the_table_has_every_command() -> None:
    assert {words.split()[0] for words in FORMS if words and words[0] != "-"} >= COMMANDS.keys()


@pytest.mark.parametrize("words", FORMS)
def test_standard_output_that_cannot_be_written(words: str, run: Run) -> None:
    good = run(words)
    assert good.code in {0, 1, 2}
    for kind in REASONS:
        ended = run(words, out=kind)
        if not good.out:
            assert (ended.code, plain(ended.err)) == (good.code, plain(good.err))
            continue
        assert ended.code == 4
        before, _, message = ended.err.partition("wheelkit: ")
        if kind == "gone" and not FORMS[words]:
            assert message == "", "nothing was changed, and a reader may stop reading"
            continue
        assert f"wheelkit: {message}".startswith(told(kind, "output"))
        assert all(line.startswith(" ") for line in [*before.splitlines(), *message.splitlines()[1:]])
        assert FORMS[words] in message
        if "init" not in words:  # it writes the workflows after the first result
            assert ended.files == good.files, "it has done the same as with a good standard output"


@pytest.mark.parametrize("words", FORMS)
def test_standard_error_that_cannot_be_written(words: str, run: Run) -> None:
    good = run(words)
    for kind in REASONS:
        ended = run(words, err=kind)
        assert ended.files == good.files
        if not good.err:
            assert (ended.code, plain(ended.out)) == (good.code, plain(good.out))
            continue
        assert ended.code == (good.code or 4)
        if good.has_json:
            assert plain(ended.out) == plain(good.out), "nothing but the document"
        elif good.code == 0:
            *lines, last = plain(ended.out).splitlines()
            assert lines == plain(good.out).splitlines()
            assert last == f"{told(kind, 'error')}; messages were lost"
        elif good.err.startswith("wheelkit: "):
            assert ended.out == good.err, "what went wrong is told on the output that is left"


@pytest.mark.parametrize("kind", REASONS)
def test_neither_can_be_written(kind: str, run: Run) -> None:
    ended = run("build -o new", out=kind, err=kind)
    assert ended.code == 4
    assert sum(path.startswith("project/new/") for path in ended.files) == 4
    assert run("explain WK999", out=kind, err=kind).code == 2


def test_what_is_built_is_whole_when_the_result_cannot_be_shown(run: Run, tmp_path: Path) -> None:
    assert run("build -o new", out="full").code == 4
    (folder,) = tmp_path.glob("*/project/new")
    records = manifest.read_all(folder)
    assert {record.target for record in records} == {"any", "sdist"}
    for file in (file for record in records for file in record.files):
        assert manifest.sha256(folder / file.file) == file.sha256


@pytest.mark.parametrize("kind", REASONS)
@pytest.mark.parametrize(("stream", "words"), [("output", ("explain",)), ("error", ("explain", "WK999"))])
def test_python_does_not_complain_again_at_the_end(
    kind: str, stream: str, words: tuple[str, ...], tmp_path: Path
) -> None:
    bad = 1 if stream == "output" else 2
    with opened(kind, tmp_path / "none") as broken, (tmp_path / "other").open("w+") as other:
        code = f"import os, sys; os.close({bad}); os.execv(sys.executable, [sys.executable, *sys.argv[1:]])"
        start = ("-c", code) if broken is None else ()
        streams = {"stdout": broken, "stderr": other} if bad == 1 else {"stdout": other, "stderr": broken}
        command = [sys.executable, *start, "-m", "wheelkit", *words]
        done = subprocess.run(command, check=False, **streams)  # type: ignore[call-overload]
        other.seek(0)
        lines = other.read().splitlines()
    assert done.returncode == (4 if bad == 1 else 2)
    if (kind, stream) == ("gone", "output"):
        assert lines == []
        return
    first, *others = lines
    assert first.startswith(told(kind, "output") if bad == 1 else "wheelkit: there is no finding")
    assert len(others) == 1
    assert others[0].startswith("  ")
