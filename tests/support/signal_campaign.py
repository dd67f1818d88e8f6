"""Send signals to commands at random moments, and check what they leave behind and what they say.

One to three of SIGINT, SIGTERM and SIGHUP go to wheelkit, alone or with its process group as from a terminal.
Afterwards no program may run on, no scratch folder may be left, ``dist`` has to be as before or as new, and
the message has to be true. The draws follow from a seed; when a signal arrives depends on the machine.
"""

from __future__ import annotations

import hashlib
import json
import os
import random
import re
import shutil
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from servers.warehouse import Token, Warehouse, serving
from support.cache_stress import BACKEND, PYPROJECT, text_of
from support.command import git_commit
from support.releases import Member, make_family

TOKEN = "pypi-the-token-of-the-campaign-0123456789"  # noqa: S105 - only valid for the fake index
TAG = f"cp3{sys.version_info[1]}"
MARK = "WHEELKIT_SIGNAL_RUN"
NUMBERS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
GAPS = (0.0, 0.003, 0.05, 0.4, 1.2)
PROJECTS = Path(__file__).resolve().parent.parent / "projects"
STEERING = ("CIBW_", "TWINE_", "GITHUB_", "WHEELKIT_", "SOURCE_DATE", "CC", "CFLAGS", "LDFLAGS")
MEMBERS = (
    Member(name="gyro-core"),
    Member(
        name="gyro-cli", needs=("gyro-core",), script="gyro", code="def main() -> None:\n    print('x')\n"
    ),
)
# How often each command is drawn.
WEIGHTS = {
    "build": 5,
    "build from the cache": 3,
    "build a family": 3,
    "build with the host builder": 3,
    "cross build": 1,
    "smoke": 6,
    "publish": 6,
    "release": 6,
}
SAYS_WHAT_IS_LEFT = ("no unfinished files were left behind", "nothing was begun", "dist has 2 built files")
SHOWN = re.compile(
    r"(?:(?P<none>no file)|(?P<count>\d+) of \d+ files?) of this release (?:is|are) on (?P<index>\w+)"
    r"(?:; (?P<more>\d+) w)?"
)


@dataclass(kw_only=True)
class Scene:
    """One command in a project of its own: how to run it, and what is wrong with what it left."""

    words: tuple[str, ...]
    project: Path
    env: Mapping[str, str]
    seconds: float
    judge: Callable[[int, str], Iterator[str]]
    resume: bool = False


@dataclass
class Outcome:
    """What happened in one run."""

    name: str
    number: int
    sent: tuple[str, ...]
    after: float
    code: int
    problems: list[str] = field(default_factory=list)
    message: str = ""


@dataclass
class Campaign:
    """Projects, built once, from which each run gets copies."""

    folder: Path
    names: Sequence[str]
    usual: dict[str, float] = field(default_factory=dict)

    def prepare(self) -> None:
        """Make the projects and measure how long each command takes without a signal."""
        base = self.folder / "base"
        _make_pure(base / "build")
        _make_squalls(base / "family")
        _make_native(base / "native")
        make_family(base / "release", MEMBERS).tag()
        for name in ("build", "family"):
            self._run_well(base / name, "build")
            _change_sources(base / name)
        shutil.copytree(base / "build", base / "cached", symlinks=True)
        cached = self.folder / "cached"
        shutil.copytree(base / "build", cached, symlinks=True)
        self._run_well(cached, "build")  # it fills the cache of the next one
        for name in self.names:
            with self.scene(name, -1) as scene:
                started = time.monotonic()
                done = _start(scene).communicate()
                self.usual[name] = time.monotonic() - started
                problems = [*scene.judge(0, "")]
                if problems:
                    raise AssertionError(f"{name} without a signal: {problems} {done[1]}")

    def _run_well(self, project: Path, *words: str) -> None:
        env = self.environment(project, self.folder / "cache")
        command = [sys.executable, "-m", "wheelkit", *words]
        subprocess.run(command, cwd=project, env=env, check=True, capture_output=True)

    def environment(self, place: Path, cache: Path) -> dict[str, str]:
        """Return the environment of one run: its own scratch, state, home and cache."""
        env = {name: value for name, value in os.environ.items() if not name.startswith(STEERING)}
        for name in ("tmp", "home", "state"):
            (place.parent / f"{place.name}-{name}").mkdir(parents=True, exist_ok=True)
        return {
            **env,
            "CIBW_CONTAINER_ENGINE": "none",
            "TMPDIR": f"{place}-tmp",
            "HOME": f"{place}-home",
            "XDG_STATE_HOME": f"{place}-state",
            "XDG_CACHE_HOME": os.environ.get("XDG_CACHE_HOME", f"{Path.home()}/.cache"),
            "WHEELKIT_CACHE_DIR": str(cache),
            "GIT_CONFIG_GLOBAL": str(place.parent / "gitconfig"),
            "TWINE_PASSWORD": TOKEN,
            "NO_COLOR": "1",
        }

    @contextmanager
    def scene(self, name: str, number: int) -> Iterator[Scene]:
        """Make the scene of one run, and remove it afterwards."""
        place = self.folder / f"run{number}" / "project"
        place.parent.mkdir()
        (place.parent / "gitconfig").write_text("[user]\nname = test\nemail = test@localhost\n")
        cache = place.parent / "cache"
        if name == "build from the cache":
            shutil.copytree(self.folder / "cache", cache)
        env = {**self.environment(place, cache), MARK: str(number)}
        usual = self.usual.get(name, 1.0)
        with ExitStack() as stack:
            if name in {"publish", "release"}:
                scene = _publishing(stack, self.folder / "base/release", place, env, name)
            else:
                scene = _local(self.folder / "base", place, env, name)
            scene.seconds = usual
            yield scene
        shutil.rmtree(place.parent, ignore_errors=True)

    def run(self, name: str, number: int, draw: random.Random) -> Outcome:
        """Run one command and send it signals."""
        with self.scene(name, number) as scene:
            numbers = [draw.choice(NUMBERS) for _ in range(draw.randint(1, 3))]
            after = draw.uniform(0.0, 1.05 * scene.seconds)
            group = draw.random() < 0.5
            gaps = [draw.choice(GAPS) for _ in numbers[1:]]
            process = _start(scene)
            _wait_for_handlers(process)
            time.sleep(after)
            in_time = process.poll() is None
            for at, wanted in zip([0.0, *gaps], numbers, strict=True):
                time.sleep(at)
                _send(process, wanted, group=group)
            try:
                out, err = process.communicate(timeout=60)
            except subprocess.TimeoutExpired:
                process.kill()
                out, err = process.communicate()
                err += "\nit did not end within 60 s"
            outcome = Outcome(
                name=name,
                number=number,
                sent=tuple(f"{'group ' if group else ''}{one.name}" for one in numbers),
                after=after,
                code=process.returncode,
                message="\n".join(line for line in err.splitlines() if not line.startswith("  ")),
            )
            outcome.problems += judge_ending(process.returncode, out, err, in_time=in_time)
            outcome.problems += processes_left(number, scene.project.parent)
            outcome.problems += [f"{path.name} is left in TMPDIR" for path in left(scene)]
            outcome.problems += scene.judge(process.returncode, err)
            if scene.resume and draw.random() < 0.4:
                outcome.problems += _resume(scene)
            if outcome.problems:
                outcome.message = err
        return outcome


def _start(scene: Scene) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "wheelkit", *scene.words],
        cwd=scene.project,
        env=dict(scene.env),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def _wait_for_handlers(process: subprocess.Popen[str]) -> None:
    """Wait until wheelkit has begun; before that Python starts, which handles SIGINT in its own way."""
    while process.poll() is None:
        status = Path(f"/proc/{process.pid}/status").read_text()
        caught = int(re.search(r"SigCgt:\s*([0-9a-f]+)", status)[1], 16)  # type: ignore[index]
        if all(caught >> (number - 1) & 1 for number in NUMBERS):
            return
        time.sleep(0.001)


def _send(process: subprocess.Popen[str], number: signal.Signals, *, group: bool) -> None:
    try:
        if process.poll() is None:
            os.killpg(process.pid, number) if group else process.send_signal(number)
    except ProcessLookupError:
        return


def judge_ending(code: int, out: str, err: str, *, in_time: bool) -> Iterator[str]:
    """Yield what is wrong with the exit code and the message."""
    if re.search(r"^Traceback|Exception ignored", out + err, re.MULTILINE):
        yield "a traceback"
    messages = re.findall(r"^wheelkit: .*", out + err, re.MULTILINE)
    if code not in {0, 130} or (code == 130 and not in_time):
        yield f"exit code {code}"
    if len(messages) != (code == 130):
        yield f"{len(messages)} messages for exit code {code}"
    if "did not end within" in err:
        yield "it hung"


def processes_left(number: int, folder: Path) -> list[str]:
    """Name the programs of a run that go on, by their environment, their folder or their arguments."""
    deadline = time.monotonic() + 1.0
    while running := [*_processes(f"{MARK}={number}\0", f"{folder}/")]:
        if time.monotonic() > deadline:
            break
        time.sleep(0.02)
    return [f"{name} still runs" for name in running]


def _processes(mark: str, folder: str) -> Iterator[str]:
    for path in Path("/proc").glob("[0-9]*"):
        if path.name == str(os.getpid()):
            continue
        try:
            state = (path / "stat").read_text().rpartition(")")[2].split()[0]
            arguments = (path / "cmdline").read_bytes().decode(errors="replace")
            environment = (path / "environ").read_bytes().decode(errors="replace")
            where = f"{(path / 'cwd').readlink()}/"
        except OSError:
            continue
        if state != "Z" and (mark in environment + "\0" or folder in arguments or where.startswith(folder)):
            yield arguments.replace("\0", " ")[:120]


def left(scene: Scene) -> list[Path]:
    """List what is left of scratch files, in TMPDIR and hidden in the dist folder."""
    hidden = [*(scene.project / "dist").glob(".*")]
    return [*Path(scene.env["TMPDIR"]).iterdir(), *hidden]


def tree(folder: Path) -> dict[str, str]:
    """Return the files of a folder with their hashes."""
    return {
        path.name: hashlib.sha256(path.read_bytes()).hexdigest()
        for path in folder.iterdir()
        if path.is_file()
    }


def _make_pure(folder: Path) -> None:
    _make_squall(folder, "squall", 1)
    (folder / ".gitignore").write_text("dist/\n")
    git_commit(folder)


def _make_squall(folder: Path, name: str, variant: int) -> None:
    (folder / name).mkdir(parents=True)
    (folder / "pyproject.toml").write_text(PYPROJECT.replace("squall", name))
    (folder / "backend.py").write_text(BACKEND.replace("squall", name))
    (folder / "README.md").write_text(f"# {name}\n")
    (folder / name / "__init__.py").write_bytes(text_of(variant))


def _make_squalls(folder: Path) -> None:
    for name in ("squall", "tempest", "zephyr"):
        _make_squall(folder / "packages" / name, name, 1)
    (folder / "wheelkit.toml").write_text('distributions = ["packages/*"]\n')
    (folder / ".gitignore").write_text("dist/\n")
    git_commit(folder)


def _make_native(folder: Path) -> None:
    shutil.copytree(PROJECTS / "abi3", folder)
    path = folder / "pyproject.toml"
    text = path.read_text().replace('["cp311", "cp312", "cp313"]', f'["{TAG}"]')
    path.write_text(text)
    (folder / ".gitignore").write_text("dist/\n")
    git_commit(folder)


def _change_sources(folder: Path) -> None:
    """Change the sources, so that no file of the next build is as before."""
    for path in folder.rglob("__init__.py"):
        path.write_bytes(text_of(2))
    git_commit(folder)


def _local(base: Path, place: Path, env: Mapping[str, str], name: str) -> Scene:
    words = {
        "build": ("build",),
        "build from the cache": ("build",),
        "build a family": ("build",),
        "build with the host builder": ("build", "--native", "--builder", "host"),
        "cross build": ("build", "--cross"),
        "smoke": ("smoke", "dist", "--offline", "--python", TAG),
    }[name]
    origin = {"build a family": "family", "smoke": "release", "build from the cache": "cached"}
    native = name in {"build with the host builder", "cross build"}
    shutil.copytree(base / ("native" if native else origin.get(name, "build")), place, symlinks=True)
    dist = place / "dist"
    before = tree(dist) if dist.exists() else None

    def judge(code: int, err: str) -> Iterator[str]:
        yield from _judge_dist(dist, before, None if name == "smoke" else code)
        if code == 130 and not any(text in err for text in SAYS_WHAT_IS_LEFT):
            yield "the message does not say what is left"

    return Scene(words=words, project=place, env=env, seconds=0.0, judge=judge)


def _judge_dist(dist: Path, before: Mapping[str, str] | None, code: int | None) -> Iterator[str]:
    """Yield what is wrong: dist has to be as before or as new, never a mixture; ``code`` of a build."""
    now = tree(dist) if dist.exists() else None
    if now == before:
        if code == 0:
            yield "dist is as before"
        return
    if now is None or code is None:
        yield "dist has changed"
        return
    listed = set()
    for path in dist.glob("*.wheelkit.json"):
        if before is not None and before.get(path.name) == now[path.name]:
            yield f"{path.name} is as before, and others are new"
        listed.add(path.name)
        for file in json.loads(path.read_text())["files"]:
            listed.add(file["file"])
            if now.get(file["file"]) != file["sha256"]:
                yield f"{file['file']} is not what its manifest says"
    if listed != now.keys():
        yield f"dist has {sorted(now.keys() ^ listed)} in no manifest or missing"
    if before is not None and now.keys() != before.keys():
        yield "dist has not the same names as before"


def _publishing(stack: ExitStack, origin: Path, place: Path, env: Mapping[str, str], name: str) -> Scene:
    """Make the scene of an upload: one index to publish to, two for a release."""
    shutil.copytree(origin, place, symlinks=True)
    indexes = {"here": _index(), "there": _index()}
    text = (place / "wheelkit.toml").read_text()
    for key, index in indexes.items():
        address = stack.enter_context(serving(index))
        text += f'\n[index.{key}]\nupload = "{address.upload}"\nsimple = "{address.simple}"\nlag = "1 s"\n'
    settings = place.parent / "settings.toml"
    settings.write_text(text + '\n[ci]\nstaging = "here"\nproduction = "there"\n')
    files = {path.name: path.read_bytes() for path in (place / "dist").iterdir() if path.suffix != ".json"}
    before = tree(place / "dist")
    if name == "publish":
        words: tuple[str, ...] = ("publish", "dist", "--to", "here")
    else:
        words = ("release", "dist", "--offline", "--python", TAG)

    def judge(code: int, err: str) -> Iterator[str]:
        time.sleep(0.05)  # what twine had sent before it was ended arrives
        yield from _judge_dist(place / "dist", before, None)
        for key, index in indexes.items():
            yield from _judge_index(key, index, files)
            whole = len(index.files) == len(files)
            if code == 130:
                yield from _judge_message(key, err, len(index.files), len(files))
            elif code == 0 and not whole and (name == "release" or key == "here"):
                yield f"{key} is not complete"
        if code == 130 and any(index.files for index in indexes.values()):
            if "unfinished" in err or "run the same command again" not in err:
                yield "the message does not say how to go on"
            if "uploaded nothing" in err:
                yield "the message says that nothing was uploaded"

    return Scene(
        words=(*words, "--config", str(settings)),
        project=place,
        env=env,
        seconds=0.0,
        judge=judge,
        resume=True,
    )


def _index() -> Warehouse:
    return Warehouse(tokens={TOKEN: Token()}, lag=0.1)


def _judge_index(key: str, index: Warehouse, files: Mapping[str, bytes]) -> Iterator[str]:
    for stored in index.files.values():
        if files.get(stored.name) != stored.data:
            yield f"{stored.name} is on {key} with other bytes"
    kept = Counter(event.file for event in index.events if event.kept)
    yield from (f"{name} was uploaded {times} times to {key}" for name, times in kept.items() if times > 1)


def _judge_message(key: str, err: str, stored: int, total: int) -> Iterator[str]:
    """Compare what the message says with the index."""
    if f"the whole release is on {key}" in err:
        if stored != total:
            yield f"{key} has {stored} of {total} files, and the message says all"
        return
    for match in SHOWN.finditer(err):
        if match["index"] == key:
            count = int(match["count"] or 0)
            most = count + int(match["more"] or 0)
            if not count <= stored <= most:
                yield f"{key} has {stored} of {total} files, and the message says {match[0]}"


def _resume(scene: Scene) -> Iterator[str]:
    """Run the same command again: it has to complete what the first run began."""
    process = _start(scene)
    _, err = process.communicate(timeout=120)
    if process.returncode != 0:
        yield f"the next run ended with {process.returncode}: {err}"
    yield from (f"after the next run: {problem}" for problem in scene.judge(process.returncode, err))


def run_campaign(folder: Path, count: int, seed: int, names: Sequence[str] = tuple(WEIGHTS)) -> list[Outcome]:
    """Run commands and interrupt each at a random moment; returns how they ended."""
    for number in NUMBERS:  # as nohup and shells in the background have it, which programs would go on doing
        if signal.getsignal(number) is signal.SIG_IGN:
            signal.signal(number, lambda *_: None)
    campaign = Campaign(folder=folder, names=names)
    campaign.prepare()
    draw = random.Random(seed)  # noqa: S311 - a test's dice
    deck = [name for name in names for _ in range(WEIGHTS[name])]
    chosen = [name for _ in range(count // len(deck) + 1) for name in draw.sample(deck, len(deck))][:count]
    return [campaign.run(name, number, draw) for number, name in enumerate(chosen)]


def summary(outcomes: Sequence[Outcome]) -> Iterator[str]:
    """Yield the figures of a campaign by command: how many runs were interrupted, how many ended first."""
    for name in dict.fromkeys(outcome.name for outcome in outcomes):
        own = [outcome for outcome in outcomes if outcome.name == name]
        endings = Counter(outcome.code for outcome in own)
        shown = ", ".join(f"{times} with {code}" for code, times in sorted(endings.items()))
        bad = sum(bool(outcome.problems) for outcome in own)
        yield f"{name}: {len(own)} runs, {shown}; {bad} with problems"
