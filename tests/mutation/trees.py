"""Private copies of the checkout, in which mutants are applied and judged."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path

from mutation.mutants import Mutant

# Built files, which a copy needs and git does not know.
BUILT = ("python/wheelkit/_core*.so", "python/wheelkit/_core*.pyd", "python/wheelkit/_version.py")
# An editable install of the checkout would come before the copy. While tests are recorded, so are the
# programs that integration tests start.
SITE = """\
import atexit
import os
import sys
import time

editable = "_editable_loader"
sys.meta_path[:] = [finder for finder in sys.meta_path if not type(finder).__module__.endswith(editable)]
folder, test = os.environ.get("WHEELKIT_MUTATION_RECORDS"), os.environ.get("PYTEST_CURRENT_TEST", "")
if folder and test.startswith("tests/integration/"):
    try:
        from coverage import Coverage
    except ImportError:  # an environment of its own
        pass
    else:
        sources = os.path.join(os.environ["PYTHONPATH"].split(os.pathsep)[0], "wheelkit", "*")
        data = os.path.join(folder, f"lines.{os.getpid()}.{time.time_ns()}")
        context = test.rpartition(" ")[0]
        recorded = Coverage(data_file=data, include=[sources], config_file=False, context=context)
        recorded._warn_no_data = False
        recorded.start()
        atexit.register(recorded.save)
        atexit.register(recorded.stop)
"""
# Limits of tests: address space in KiB, and files in blocks of 512 bytes.
LIMITED = ("sh", "-c", 'ulimit -v 8000000; ulimit -f 8000000; exec "$@"', "sh")
OK, NO_TESTS = 0, 5
# Mutants are judged behind everything else that the machine does. What starts this may be nice already.
NICE = max(0, 10 - os.nice(0))
# The process groups of programs that run now.
RUNNING: set[int] = set()


class Tree:
    """A copy of the checkout with folders of its own for everything that its tests write."""

    def __init__(self, root: Path, folder: Path) -> None:
        self.root, self.folder = root, folder / "tree"
        self.scratch, self.site = folder / "tmp", folder / "site"
        for path in (self.scratch, self.site):
            path.mkdir(parents=True)
        (self.site / "sitecustomize.py").write_text(SITE)
        listed = subprocess.run(
            ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
            cwd=root,
            capture_output=True,
            text=True,
            check=True,
        ).stdout.split("\0")
        built = [str(path.relative_to(root)) for pattern in BUILT for path in root.glob(pattern)]
        for name in {*listed, *built}:
            if (root / name).is_file():
                (self.folder / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(root / name, self.folder / name)
        # Some tests ask git about the files of the checkout.
        subprocess.run(["git", "init", "-q", "."], cwd=self.folder, check=True)
        self.times = int(time.time())

    def write(self, file: str, source: bytes) -> None:
        """Replace a file. Its time is always another whole second, and newer than everything built before.

        Python knows compiled files by that, and ninja what it has to compile again.
        """
        self.times = max(self.times, int(time.time())) + 2
        (self.folder / file).write_bytes(source)
        os.utime(self.folder / file, (self.times, self.times))

    def apply(self, mutant: Mutant) -> None:
        """Change a file."""
        self.write(mutant.file, mutant.apply((self.root / mutant.file).read_bytes()))

    def restore(self, mutant: Mutant) -> None:
        """Take the change back."""
        self.write(mutant.file, (self.root / mutant.file).read_bytes())

    def run(self, command: Sequence[str], seconds: float, **variables: str) -> tuple[int | None, str]:
        """Run a program; returns its exit status (None if it took too long) and its output."""
        path = [self.folder / "python", self.site, self.folder / "tests", os.environ.get("PYTHONPATH", "")]
        env = {
            **os.environ,
            "PYTHONPATH": os.pathsep.join(str(place) for place in path if place),
            "TMPDIR": str(self.scratch),
            "COLUMNS": "400",
            **variables,
        }
        program = subprocess.Popen(
            ["nice", "-n", str(NICE), *command],
            cwd=self.folder,
            env=env,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            text=True,
            errors="replace",
        )
        RUNNING.add(program.pid)
        try:
            output, _ = program.communicate(timeout=seconds)
        except subprocess.TimeoutExpired:
            return None, ""
        else:
            return program.returncode, output
        finally:
            end_group(program.pid)
            RUNNING.discard(program.pid)
            program.wait()

    def pytest(self, *arguments: str, seconds: float, **variables: str) -> tuple[int | None, str]:
        """Run pytest in the copy."""
        # Each run draws the same examples: a test that fails by chance alone notices nothing.
        options = ["-q", "--no-header", "--tb=no", "-rfE", "--hypothesis-seed=0"]
        options.append(f"--basetemp={self.scratch / 'pytest'}")
        return self.run(
            [*LIMITED, sys.executable, "-m", "pytest", *options, *arguments], seconds, **variables
        )

    def first_failure(self, limits: Mapping[str, float], known: Collection[str], seconds: float) -> str:
        """Run tests, each with a limit in seconds, until one fails; returns its name or another failure.

        Tests of the same files that are not ``known`` run as well. ``seconds`` limits all of them together.
        """
        names = self.scratch / "tests.json"
        names.write_text(json.dumps([limits, list(known)]))
        files = [file for file in dict.fromkeys(map(file_of, limits)) if (self.folder / file).is_file()]
        options = ("-n", "0", "-x", "-p", "mutation.selection")
        code, output = self.pytest(*options, *files, seconds=seconds, WHEELKIT_MUTATION_TESTS=str(names))
        if code is None:
            return f"tests that take more than {seconds:.0f} s"
        if code in {OK, NO_TESTS}:
            return ""
        failed = [line for line in output.splitlines() if line.startswith(("FAILED ", "ERROR "))]
        if failed:
            name, _, why = failed[0].partition(" - ")
            return f"Timeout: {name}" if "Timeout (>" in why else name
        return f"exit status {code}: {output[-200:].strip()}"


def file_of(test: str) -> str:
    """Return the file of a test's name."""
    return test.partition("::")[0]


def end_all() -> None:
    """End every program that runs in a copy."""
    for group in tuple(RUNNING):
        end_group(group)


def end_group(group: int) -> None:
    """End what is left of a program and its children."""
    try:
        os.killpg(group, signal.SIGKILL)
    except ProcessLookupError:
        return
