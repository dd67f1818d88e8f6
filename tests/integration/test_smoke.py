"""Smoke tests with real uv and pip, and a local index with third-party and squatted packages."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import tarfile
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from support.smoke_wheels import Index, make, served
from wheelkit.machine import facts, interpreters
from wheelkit.machine.process import LoggedRun
from wheelkit.matrix import Interpreter
from wheelkit.smoke import wheels
from wheelkit.smoke.environments import Environment
from wheelkit.smoke.install import Source, uv_commands
from wheelkit.smoke.install_errors import explain_install_error
from wheelkit.smoke.plan import SmokeInputs, plan_cases

if TYPE_CHECKING:
    from collections.abc import Iterator

    from support.command import Wheelkit


TAG = f"cp3{sys.version_info[1]}"
MAIN = "def main():\n    import sys\n    print('usage' if '--help' in sys.argv else 'hello')\n"
HANGS = """import subprocess, sys, time
child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(300)'])
print('child', child.pid, flush=True)
time.sleep(300)
"""


@pytest.fixture
def dist(tmp_path: Path) -> Path:
    """Make a family of three: a core, a command that needs it, third, and a plugin."""
    folder = tmp_path / "dist"
    make(folder, "wk-core", needs=("wk-third>=1",))
    make(
        folder,
        "wk-cli",
        needs=("wk-core[fast]>=1,<2",),
        files={"wk_cli/__init__.py": MAIN},
        entries="[console_scripts]\nwk-run = wk_cli:main\n",
    )
    make(folder, "wk-plugin", needs=("wk-core>=1,<2",), entries="[wk.plugins]\nfirst = wk_plugin:version\n")
    return folder


@pytest.fixture
def index(tmp_path: Path) -> Iterator[Index]:
    """Serve third parties, and squatters of the family's names with higher versions and with a build tag."""
    folder = tmp_path / "index"
    make(folder, "wk-third", "1.5")
    for name in ("wk-core", "wk-cli", "wk-plugin"):
        make(
            folder,
            name,
            "1.99",
            files={f"{name.replace('-', '_')}/__init__.py": "raise SystemExit('squatted')\n"},
        )
    shutil.copy(
        make(folder / "x", "wk-core", files={"wk_core/__init__.py": "raise SystemExit('squatted')\n"}),
        folder / "wk_core-1.0-9-py3-none-any.whl",
    )
    shutil.rmtree(folder / "x")
    with served(folder) as running:
        yield running


def smoke(
    wheelkit: Wheelkit, dist: Path, *words: str | Path, config: str = ""
) -> tuple[int, dict[str, Any], str]:
    (dist.parent / "wheelkit.toml").write_text(config)
    done = wheelkit("smoke", dist, "--json", "--python", TAG, *words, cwd=dist.parent)
    return done.returncode, json.loads(done.stdout or "{}"), done.stderr


def failures(document: dict[str, Any]) -> dict[str, str]:
    return {
        f"{case['distribution']}/{case['how']}": case["failures"][0]["what"]
        for case in document["cases"]
        if not case["ok"]
    }


@pytest.mark.parametrize("installer", [(), ("--pip",)])
def test_a_squatted_sibling_is_never_installed(
    wheelkit: Wheelkit, dist: Path, index: Index, installer: tuple[str, ...]
) -> None:
    code, document, _ = smoke(
        wheelkit,
        dist,
        "--index",
        index.url,
        *installer,
        config='[distribution.wk-cli]\nsmoke = ["wk-run", "python -c \'import wk_core\'"]\n',
    )
    assert (code, failures(document)) == (0, {})
    assert [f"{case['distribution']}/{case['how']}" for case in document["cases"]] == [
        *(
            "wk-core/environment",
            "wk-cli/environment",
            "wk-plugin/environment",
            "the family/environment",
            "wk-cli/tool",
        )
    ]
    wanted = {path.split("/")[2] for path in index.asked if path.startswith("/simple/")}
    assert wanted == {"wk-third"}


def test_the_squatter_is_real(dist: Path, index: Index, tmp_path: Path) -> None:
    """Show that the usual way installs it, so that the test above proves something."""
    subprocess.run(["uv", "venv", "-q", "--python", sys.executable, tmp_path / "env"], check=True)
    python = tmp_path / "env/bin/python"
    options = ("--no-config", "--find-links", dist, "--default-index", index.url)
    subprocess.run(["uv", "pip", "install", "-q", "--python", python, *options, "wk-cli"], check=True)
    shown = subprocess.run(
        ["uv", "pip", "list", "--python", python, "--format", "json"], check=True, capture_output=True
    )
    assert {one["name"]: one["version"] for one in json.loads(shown.stdout)} == {"wk-cli": "1.99"}


def test_extra_indexes_of_the_environment_and_the_user_do_not_count(
    wheelkit: Wheelkit, dist: Path, index: Index, tmp_path: Path
) -> None:
    third = tmp_path / "third"
    make(third, "wk-third", "1.5")
    settings = tmp_path / "home/.config"
    for name, text in (
        ("pip/pip.conf", f"[global]\nextra-index-url = {index.url}\n"),
        ("uv/uv.toml", f'extra-index-url = ["{index.url}"]\n'),
    ):
        (settings / name).parent.mkdir(parents=True)
        (settings / name).write_text(text)
    env = {
        "UV_EXTRA_INDEX_URL": index.url,
        "PIP_EXTRA_INDEX_URL": index.url,
        "UV_INDEX": index.url,
        "XDG_CONFIG_HOME": str(settings),
    }
    done = wheelkit("smoke", dist, "--python", TAG, "--find-links", third, cwd=tmp_path, env=env)
    assert done.returncode == 0
    assert index.asked == []


def test_what_is_wrong_in_a_wheel_is_found_where_it_stands(wheelkit: Wheelkit, tmp_path: Path) -> None:
    dist = tmp_path / "dist"
    make(dist, "wk-a", files={"wk_a/__init__.py": "import wk_undeclared\n"})
    make(dist, "wk-b", files={"queue/__init__.py": ""})
    make(dist, "wk-c", files={"wk_c/__init__.py": "import os; os._exit(3)\n"})
    make(
        dist,
        "wk-d",
        files={"wk_d/__init__.py": "def main(): raise SystemExit(2)\n"},
        entries="[console_scripts]\nwk-d = wk_d:main\n[g]\nx = wk_d:gone\n",
    )
    make(dist, "wk-e")
    lazy = "def main():\n    import wk_gone\n"
    make(dist, "wk-f", files={"wk_f/__init__.py": lazy}, entries="[console_scripts]\nwk-f = wk_f:main\n")
    code, document, _ = smoke(wheelkit, dist, "--offline")
    reasons = failures(document)
    assert code == 1
    assert reasons["wk-a/environment"] == "it imports wk_undeclared, and nothing that it requires provides it"
    assert (
        reasons["wk-b/environment"]
        == "queue cannot be imported: Python finds its standard library module of that name first"
    )
    assert reasons["wk-c/environment"] == "ended Python with exit status 3"
    assert reasons["wk-d/environment"].startswith("AttributeError: module 'wk_d' has no attribute 'gone'")
    assert reasons["wk-d/tool"] == "failed with exit status 2"
    assert (
        reasons["wk-f/tool"]
        == "failed with exit status 1: it imports wk_gone, and nothing that it requires provides it"
    )
    assert "frozen importlib" not in str(document)
    assert "wk-e/environment" not in reasons
    logs = {case["distribution"]: case["log"] for case in document["cases"]}
    assert logs["wk-e"] is None
    assert "wk_undeclared" in Path(logs["wk-a"]).read_text()


def test_the_sources_are_never_what_is_imported(wheelkit: Wheelkit, tmp_path: Path) -> None:
    make(tmp_path / "dist", "wk-a", files={"wk_a/__init__.py": "import wk_source\n"})
    (tmp_path / "wk_source.py").write_text("")
    code, document, _ = smoke(
        wheelkit,
        tmp_path / "dist",
        "--offline",
        config="[distribution.wk-a]\nsmoke = [\"python -c 'import wk_source'\"]\n",
    )
    assert code == 1
    assert [one["check"] for one in document["cases"][0]["failures"]] == [
        "import wk_a",
        "python -c 'import wk_source'",
    ]


def test_a_command_that_hangs_is_ended_with_all_that_it_started(wheelkit: Wheelkit, tmp_path: Path) -> None:
    make(tmp_path / "dist", "wk-a", files={"wk_a/__init__.py": "", "wk_a/__main__.py": HANGS})
    config = '[distribution.wk-a]\nsmoke = ["python -m wk_a"]\n'
    code, document, _ = smoke(wheelkit, tmp_path / "dist", "--offline", "--timeout", "5", config=config)
    assert code == 1
    (failure,) = document["cases"][0]["failures"]
    assert (failure["check"], failure["what"]) == (
        "python -m wk_a",
        "timed out after 5 s; it and every program that it started were ended",
    )
    assert not alive(int(failure["detail"].split("child ")[1].split()[0]))


def alive(pid: int) -> bool:
    for _ in range(200):
        try:
            if Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] == "Z":
                return False
        except FileNotFoundError:
            return False
        time.sleep(0.01)
    return True


def test_an_import_that_hangs_is_named(wheelkit: Wheelkit, tmp_path: Path) -> None:
    make(
        tmp_path / "dist",
        "wk-a",
        files={"wk_a/__init__.py": "import time; time.sleep(300)\n", "wk_b/__init__.py": ""},
    )
    code, document, _ = smoke(wheelkit, tmp_path / "dist", "--offline", "--timeout", "3")
    assert code == 1
    (failure,) = document["cases"][0]["failures"]
    assert (failure["check"], failure["what"]) == ("import wk_a", "timed out")


def test_requirements_with_only_an_sdist_are_reported_and_can_be_allowed(
    wheelkit: Wheelkit, tmp_path: Path
) -> None:
    make(tmp_path / "dist", "wk-a", needs=("wk-source",))
    links, source = tmp_path / "links", tmp_path / "wk_source-1.0"
    source.mkdir()
    links.mkdir()
    (source / "PKG-INFO").write_text("Metadata-Version: 2.1\nName: wk-source\nVersion: 1.0\n")
    (source / "wk_source.py").write_text("")
    (source / "backend.py").write_text(BACKEND)
    (source / "pyproject.toml").write_text(
        '[build-system]\nrequires = []\nbuild-backend = "backend"\nbackend-path = ["."]\n'
    )
    with tarfile.open(links / "wk_source-1.0.tar.gz", "w:gz") as archive:
        archive.add(source, arcname=source.name)
    code, document, _ = smoke(wheelkit, tmp_path / "dist", "--find-links", links)
    assert code == 1
    failure = document["cases"][0]["failures"][0]
    assert failure["what"] == "wk-source, which wk-a requires, has no wheel that fits here, only an sdist"
    assert "--build-sdists" in failure["fix"]
    assert smoke(wheelkit, tmp_path / "dist", "--find-links", links, "--build-sdists")[0] == 0


BACKEND = """
import zipfile
def build_wheel(folder, config_settings=None, metadata_directory=None):
    name = "wk_source-1.0-py3-none-any.whl"
    info = "wk_source-1.0.dist-info/"
    with zipfile.ZipFile(folder + "/" + name, "w") as archive:
        archive.writestr("wk_source.py", "")
        archive.writestr(info + "METADATA", "Metadata-Version: 2.1\\nName: wk-source\\nVersion: 1.0\\n")
        wheel = "Wheel-Version: 1.0\\nGenerator: x\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n"
        archive.writestr(info + "WHEEL", wheel)
        members = ("wk_source.py", info + "METADATA", info + "WHEEL", info + "RECORD")
        archive.writestr(info + "RECORD", "".join(member + ",,\\n" for member in members))
    return name
"""


@pytest.mark.parametrize(
    ("words", "code", "message"),
    [
        (
            ("--index", "http://127.0.0.1:9/simple/"),
            3,
            "http://127.0.0.1:9/simple/wk-third/ is unreachable",
        ),
        (("--index", "http://127.0.0.1:9/simple/", "--pip"), 3, "is unreachable"),
        (("--offline",), 1, "wk-third, which wk-core requires, is not in uv's cache"),
    ],
)
def test_no_network_is_one_message(  # noqa: PLR0913, PLR0917 - the table and fixtures
    wheelkit: Wheelkit, dist: Path, tmp_path: Path, words: tuple[str, ...], code: int, message: str
) -> None:
    done = wheelkit(
        "smoke", dist, "--python", TAG, *words, cwd=tmp_path, env={"UV_CACHE_DIR": str(tmp_path / "cache")}
    )
    assert done.returncode == code
    assert message in done.stdout + done.stderr
    assert ("--find-links DIR" in done.stdout + done.stderr) or code == 1


class Busy(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(503)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Say nothing."""


def test_an_index_that_answers_with_an_error_is_no_fault_of_the_wheels(
    wheelkit: Wheelkit, dist: Path, tmp_path: Path
) -> None:
    with ThreadingHTTPServer(("127.0.0.1", 0), Busy) as server:
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}).start()
        url = f"http://127.0.0.1:{server.server_address[1]}/simple/"
        env = {"UV_CACHE_DIR": str(tmp_path / "cache")}
        done = wheelkit("smoke", dist, "--python", TAG, "--index", url, cwd=tmp_path, env=env)
        server.shutdown()
    assert done.returncode == 3
    assert f"{url}wk-third/ answered 503 Service Unavailable" in done.stderr
    assert "cannot be satisfied together" not in done.stdout + done.stderr


def test_interpreters_that_are_not_here_are_skipped_and_said(wheelkit: Wheelkit, tmp_path: Path) -> None:
    make(tmp_path / "dist", "wk-a")
    (tmp_path / "wheelkit.toml").write_text(f'[matrix]\ninterpreters = ["cp37", "{TAG}", "cp399"]\n')
    done = wheelkit(
        "smoke",
        "dist",
        "--offline",
        cwd=tmp_path,
        env={"PATH": os.defpath, "HOME": str(tmp_path), "PYENV_ROOT": str(tmp_path)},
    )
    assert done.returncode == 0
    assert "skipped, not installed here: cp37, cp399" in done.stderr
    assert f"distribution  as           {TAG}" in done.stdout
    done = wheelkit("smoke", "dist", "--offline", "--python", "cp399", cwd=tmp_path)
    assert done.returncode == 3
    assert "none of the interpreters is installed here: cp399" in done.stderr


def test_environments_stay_for_a_look_when_asked(wheelkit: Wheelkit, tmp_path: Path) -> None:
    make(tmp_path / "dist", "wk-a")
    (tmp_path / "kept").mkdir()
    words = ("smoke", "dist", "--offline", "--keep", "--python", TAG, "--json")
    done = subprocess.run(
        wheelkit.arguments(*words),
        cwd=tmp_path,
        env={**wheelkit.env, "TMPDIR": str(tmp_path / "kept")},
        capture_output=True,
        check=True,
    )
    (case,) = json.loads(done.stdout)["cases"]
    python = Path(case["kept"]) / "env/bin/python"
    assert subprocess.run([python, "-c", "import wk_a"], check=False).returncode == 0


def test_a_file_that_changes_under_way_is_noticed(tmp_path: Path) -> None:
    """Change the file after it was read: uv compares it with the sha256 that it was given."""
    path = make(tmp_path / "dist", "wk-a")
    one = wheels.read_package(path)
    here = facts.own_target(facts.detect(containers=False))
    python = interpreters.find_pythons([Interpreter.parse(TAG)])[TAG]
    (case,) = plan_cases(SmokeInputs(packages=(one,), family=frozenset({"wk-a"}), target=here), [python])
    environment = Environment(folder=tmp_path / "case")
    environment.prepare(case)
    make(tmp_path / "dist", "wk-a", files={"wk_a/__init__.py": "other = 1\n"})
    run = LoggedRun(log=tmp_path / "log")
    made, installed = (
        run(command)
        for command in uv_commands(shutil.which("uv") or "uv", case, environment, Source(offline=True))
    )
    assert (made.returncode, installed.returncode != 0) == (0, True)
    assert (
        explain_install_error(installed, "wk-a", Source()).what
        == "a file changed while wk-a was being installed"
    )


@pytest.mark.skipif(
    sys.platform != "linux" or shutil.which("cc") is None, reason="needs a C compiler for ELF"
)
def test_a_missing_symbol_is_explained_with_who_exports_it(wheelkit: Wheelkit, tmp_path: Path) -> None:
    def compiled(name: str, code: str, *options: str) -> bytes:
        (tmp_path / f"{name}.c").write_text(code)
        out = tmp_path / f"{name}.so"
        subprocess.run(["cc", "-shared", "-fPIC", "-o", out, tmp_path / f"{name}.c", *options], check=True)
        return out.read_bytes()

    library = compiled("libgear", "int gear_turn(void) { return 1; }\n", "-Wl,-soname,libgear.so.1")
    shutil.copy(tmp_path / "libgear.so", tmp_path / "libgear.so.1")
    init = "int gear_turn(void); void *PyInit__x(void) { return (void *)(long)gear_turn(); }\n"
    dist = tmp_path / "dist"
    make(
        dist,
        "wk-gear",
        files={"wk_gear/__init__.py": "", "wk_gear/libgear.so.1": library},
        tag="py3-none-linux_x86_64",
    )
    symbol = compiled("symbol", init, "-Wl,-z,now")
    needs = ("wk-gear",)
    make(
        dist,
        "wk-symbol",
        files={"wk_symbol/__init__.py": "", "wk_symbol/_x.abi3.so": symbol},
        needs=needs,
        tag="cp311-abi3-linux_x86_64",
    )
    missing = compiled("missing", init, str(tmp_path / "libgear.so.1"))
    make(
        dist,
        "wk-missing",
        files={"wk_missing/__init__.py": "", "wk_missing/_x.abi3.so": missing},
        needs=needs,
        tag="cp311-abi3-linux_x86_64",
    )
    make(
        dist,
        "wk-broken",
        files={"wk_broken/__init__.py": "", "wk_broken/_x.abi3.so": b"\x7fELF\x01" + symbol[5:]},
        tag="cp311-abi3-linux_x86_64",
    )
    _, document, _ = smoke(wheelkit, dist, "--offline")
    reasons = failures(document)
    assert (
        reasons["wk-symbol/environment"] == "the symbol gear_turn was not found, although wk_gear exports it"
    )
    assert (
        reasons["wk-missing/environment"]
        == "the library libgear.so.1 is in wk_gear, where the loader does not search"
    )
    assert (
        reasons["wk-broken/environment"]
        == "it contains a binary for another architecture than the interpreter's"
    )
    assert "wk-gear/environment" not in reasons


@pytest.mark.skipif(sys.platform == "win32", reason="signals as on POSIX")
def test_an_interrupt_ends_everything(wheelkit: Wheelkit, tmp_path: Path) -> None:
    make(
        tmp_path / "dist",
        "wk-a",
        files={
            "wk_a/__init__.py": "",
            "wk_a/__main__.py": HANGS.replace(
                "print(", f"open({str(tmp_path / 'pid')!r}, 'w').write(str(child.pid)); print("
            ),
        },
    )
    (tmp_path / "wheelkit.toml").write_text('[distribution.wk-a]\nsmoke = ["python -m wk_a"]\n')
    process = subprocess.Popen(
        wheelkit.arguments("smoke", "dist", "--offline", "--python", TAG),
        cwd=tmp_path,
        env=wheelkit.env,
        stderr=subprocess.PIPE,
    )
    while not (tmp_path / "pid").exists() or not (tmp_path / "pid").read_text():
        assert process.poll() is None
        time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    _, output = process.communicate(timeout=60)
    assert process.returncode == 130
    assert b"interrupted" in output
    assert not alive(int((tmp_path / "pid").read_text()))
    assert wheelkit.left_behind() == []


def test_modules_that_the_project_does_not_name_are_not_imported(wheelkit: Wheelkit, tmp_path: Path) -> None:
    make(
        tmp_path / "dist",
        "wk-a",
        files={"wk_a/__init__.py": "", "wk_yaml.py": "import yaml_that_only_an_extra_brings"},
    )
    code, document, _ = smoke(wheelkit, tmp_path / "dist", "--offline")
    assert code == 1
    assert [one["check"] for one in document["cases"][0]["failures"]] == ["import wk_yaml"]
    assert (
        smoke(wheelkit, tmp_path / "dist", "--offline", config='distribution.wk-a.imports = ["wk_a"]\n')[0]
        == 0
    )
