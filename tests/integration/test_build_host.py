"""The host builder with uv, meson, setuptools, gcc, auditwheel and this machine's interpreters."""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path
from typing import Any

import pytest
from packaging.utils import parse_wheel_filename

from support.command import MakeProject, Wheelkit, git_commit

pytestmark = [
    pytest.mark.skipif(sys.platform != "linux", reason="the host builder is for Linux"),
    pytest.mark.skipif(shutil.which("cc") is None, reason="needs a C compiler"),
]
TARGET = "manylinux_2_28_x86_64"
RUNNING = f"cp3{sys.version_info[1]}"
BEFORE = f"cp3{sys.version_info[1] - 1}"
MATRIX = 'interpreters = ["cp311", "cp312", "cp313"]'
HOST = ("build", "--native", "--builder", "host")


def interpreters() -> list[str]:
    """Return the interpreters with headers, found without wheelkit."""
    available = []
    probe = (
        "import sys, sysconfig, os; sys.exit(not os.path.exists(sysconfig.get_path('include') + '/Python.h'))"
    )
    for minor in (11, 12, 13):
        pyenv = sorted((Path.home() / ".pyenv/versions").glob(f"3.{minor}.*/bin/python3.{minor}"))
        places = [*map(str, pyenv), *filter(None, [shutil.which(f"python3.{minor}")])]
        if minor == sys.version_info[1]:
            places.append(sys.executable)
        if any(subprocess.run([place, "-I", "-c", probe], check=False).returncode == 0 for place in places):
            available.append(f"cp3{minor}")
    return available


def set_line(folder: Path, old: str, new: str, file: str = "pyproject.toml") -> None:
    text = (folder / file).read_text()
    assert old in text
    (folder / file).write_text(text.replace(old, new))


def running_only(make: MakeProject, name: str, **options: Any) -> Path:
    """Copy a project and promise only the interpreter that runs the tests."""
    folder = make(name, git=False, **options)
    text = (folder / "pyproject.toml").read_text()
    (folder / "pyproject.toml").write_text(
        re.sub(r"interpreters = \[.*\]", f'interpreters = ["{RUNNING}"]', text)
    )
    return folder


def wheels(folder: Path) -> list[Path]:
    return sorted((folder / "dist").glob("*.whl"))


def manifest(folder: Path, target: str = TARGET) -> dict[str, Any]:
    (path,) = (folder / "dist").glob(f"*-{target}.wheelkit.json")
    document: dict[str, Any] = json.loads(path.read_text())
    for entry in document["files"]:
        data = (folder / "dist" / entry["file"]).read_bytes()
        assert (entry["sha256"], entry["size"]) == (hashlib.sha256(data).hexdigest(), len(data))
    return document


def shown_by_auditwheel(wheel: Path) -> str:
    done = subprocess.run(
        [sys.executable, "-m", "auditwheel", "show", wheel], capture_output=True, text=True, check=True
    )
    return " ".join(done.stdout.split())


def test_an_abi3_project_becomes_one_verified_wheel_for_every_interpreter(
    project: MakeProject, wheelkit: Wheelkit
) -> None:
    folder = project("abi3")
    commit = git_commit_of(folder)
    here = interpreters()
    done = wheelkit(*HOST, cwd=folder)
    assert done.returncode == 0
    (wheel,) = wheels(folder)
    assert f"{wheel.relative_to(folder)}   " in done.stdout
    name, version, _, tags = parse_wheel_filename(wheel.name)
    assert (name, str(version)) == ("momentum", "1.2.0")
    assert {(tag.interpreter, tag.abi) for tag in tags} == {("cp311", "abi3")}
    document = manifest(folder)
    assert {
        key: document[key] for key in ("distribution", "version", "target", "builder", "commit", "dirty")
    } == {
        "distribution": "momentum",
        "version": "1.2.0",
        "target": TARGET,
        "builder": "host",
        "commit": commit,
        "dirty": False,
    }
    assert document["files"][0]["tested"] == document["files"][0]["cells"] == here
    for tag in {"cp311", "cp312", "cp313"} - set(here):
        assert f"not tested on {tag}" in done.stderr
    assert wheelkit("verify-matrix", "dist", "--native", cwd=folder).returncode == 0
    assert 'is consistent with the following platform tag: "manylinux_2_5_x86_64"' in shown_by_auditwheel(
        wheel
    )
    audit = subprocess.run(
        [sys.executable, "-m", "abi3audit", "--strict", "--report", wheel],
        capture_output=True,
        text=True,
        check=False,
    )
    assert audit.returncode == 0, audit.stdout + audit.stderr
    assert not (folder / "build").exists()
    assert checkout_is_clean(folder)


def git_commit_of(folder: Path) -> str:
    return subprocess.run(
        ["git", "-C", folder, "rev-parse", "HEAD"], capture_output=True, text=True, check=True
    ).stdout.strip()


def checkout_is_clean(folder: Path) -> bool:
    """Return whether the build left nothing but its dist folder in the project."""
    done = subprocess.run(
        ["git", "-C", folder, "status", "--porcelain"], capture_output=True, text=True, check=True
    )
    return done.stdout == "?? dist/\n"


def test_a_project_without_the_stable_abi_becomes_a_wheel_for_each_interpreter(
    project: MakeProject, wheelkit: Wheelkit
) -> None:
    folder = project("single_version")
    here = interpreters()
    assert wheelkit(*HOST, cwd=folder).returncode == 0
    assert [wheel.name.split("-")[2:4] for wheel in wheels(folder)] == [[tag, tag] for tag in here]
    assert [(entry["cells"], entry["tested"]) for entry in manifest(folder)["files"]] == [
        ([tag], [tag]) for tag in here
    ]
    native = wheelkit("verify-matrix", "dist", "--native", cwd=folder)
    assert native.returncode == (0 if here == ["cp311", "cp312", "cp313"] else 1)
    for wheel in wheels(folder):
        assert 'platform tag: "manylinux_2_5_x86_64"' in shown_by_auditwheel(wheel)
        assert "PATH" not in dynamic_section(wheel)


def dynamic_section(wheel: Path) -> str:
    """Read the only binary's needed libraries, RPATH and RUNPATH."""
    with zipfile.ZipFile(wheel) as archive:
        (module,) = (name for name in archive.namelist() if name.endswith(".so"))
        path = archive.extract(module, wheel.parent / "unpacked")
    text = subprocess.run(
        ["readelf", "--dynamic", "--wide", path], capture_output=True, text=True, check=True
    ).stdout
    shutil.rmtree(wheel.parent / "unpacked")
    assert "(SYMTAB)" in text
    return text


def test_the_folder_is_built_as_it_lies_and_a_second_build_replaces_the_first(
    project: MakeProject, wheelkit: Wheelkit
) -> None:
    folder = running_only(project, "abi3")
    git_commit(folder)
    assert wheelkit(*HOST, cwd=folder).returncode == 0
    first = manifest(folder)
    assert first["dirty"] is False
    (folder / "dist/other.whl").write_text("kept")
    set_line(folder, "mass * speed", "mass * speed * HALF", "core.c")
    set_line(folder, "#include <Python.h>", '#include <Python.h>\n#include "half.h"', "core.c")
    (folder / "half.h").write_text("#define HALF 0.5\n")
    set_line(folder, "== 6.0", "== 3.0")
    (folder / "momentum/__pycache__").mkdir()
    (folder / "momentum/__pycache__/junk.pyc").write_text("junk")
    done = wheelkit(*HOST, cwd=folder)
    assert done.returncode == 0
    assert (
        "built with 3 uncommitted changes (core.c, pyproject.toml, half.h); publish will refuse it"
        in done.stderr
    )
    second = manifest(folder)
    assert (second["dirty"], second["commit"]) == (True, first["commit"])
    assert second["source"] != first["source"]
    assert [path.name for path in wheels(folder)] == [second["files"][0]["file"], "other.whl"]
    status = subprocess.run(
        ["git", "-C", folder, "status", "--porcelain"], capture_output=True, text=True, check=True
    ).stdout
    assert {line[3:] for line in status.splitlines()} == {
        "core.c",
        "pyproject.toml",
        "dist/",
        "half.h",
        "momentum/__pycache__/",
    }


def test_building_setuptools_projects_twice_does_not_make_them_dirty(
    project: MakeProject, wheelkit: Wheelkit
) -> None:
    folder = running_only(project, "single_version")
    git_commit(folder)
    for _ in range(2):
        done = wheelkit("build", "--sdist", cwd=folder)
        assert done.returncode == 0
        assert "uncommitted" not in done.stderr
        assert manifest(folder, "sdist")["dirty"] is False


def test_every_form_of_source_gives_the_same_wheel(
    project: MakeProject, wheelkit: Wheelkit, tmp_path: Path
) -> None:
    folder = running_only(project, "abi3")  # neither under version control nor an sdist
    (folder / "momentum/build").mkdir()
    (folder / "momentum/build/deep.h").write_text("")
    assert wheelkit("build", "--builder", "host", cwd=folder).returncode == 0
    assert manifest(folder)["commit"] == ""
    assert not (folder / ".git").exists()
    sdist = folder / "dist/momentum-1.2.0.tar.gz"
    assert manifest(folder)["source"] == hashlib.sha256(sdist.read_bytes()).hexdigest()
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    assert wheelkit(*HOST, sdist, cwd=elsewhere).returncode == 0
    assert manifest(elsewhere)["source"] == manifest(folder)["source"]
    with tarfile.open(sdist) as archive:
        archive.extractall(tmp_path, filter="data")
    unpacked = tmp_path / "momentum-1.2.0"
    assert (unpacked / "momentum/build/deep.h").is_file()
    assert wheelkit(*HOST, cwd=unpacked).returncode == 0
    assert manifest(unpacked)["commit"] == ""
    assert (
        [path.name for path in wheels(elsewhere)]
        == [path.name for path in wheels(unpacked)]
        == [path.name for path in wheels(folder)]
    )


def test_what_lies_beside_the_project_stays_out_of_its_sdist(
    project: MakeProject, wheelkit: Wheelkit, tmp_path: Path
) -> None:
    top = tmp_path / "top"
    shutil.move(running_only(project, "abi3"), top / "python/momentum")
    folder = top / "python/momentum"
    (top / "other").mkdir()
    (top / "other/tracked.txt").write_text("")
    git_commit(top)
    for junk in (
        "other/junk.bin",
        "junk.bin",
        "python/momentum/dist/old.tar.gz",
        "python/momentum/.venv/pyvenv.cfg",
    ):
        (top / junk).parent.mkdir(exist_ok=True)
        (top / junk).write_text("junk")
    for changed in (False, True):
        if changed:
            (folder / "new.h").write_text("")
        assert wheelkit("build", "--sdist", cwd=folder).returncode == 0
        assert manifest(folder, "sdist")["dirty"] is changed
        with tarfile.open(folder / "dist/momentum-1.2.0.tar.gz") as archive:
            names = {name.split("/", 1)[1] for name in archive.getnames() if "/" in name}
        expected = {"PKG-INFO", "core.c", "meson.build", "momentum/__init__.py", "pyproject.toml"}
        assert names - {".gitignore"} == (expected | {"new.h"} if changed else expected)


def link_tools(place: Path) -> str:
    """Make a PATH with what a build runs, and no interpreter but the running one."""
    place.mkdir()
    for name in (
        "cc",
        "gcc",
        "as",
        "ld",
        "ar",
        "strip",
        "objdump",
        "git",
        "sh",
        "env",
        "uname",
        "sed",
        "grep",
        "cat",
        "rm",
        "mkdir",
        "uv",
    ):
        path = shutil.which(name, path=f"{Path(sys.executable).parent}:{os.environ['PATH']}")
        if path:
            (place / name).symlink_to(path)
    return str(place)


@pytest.fixture
def alone(tmp_path: Path) -> dict[str, str]:
    """Return an environment in which no interpreter can be found but the one that runs the tests."""
    nowhere = str(tmp_path / "nowhere")
    return {"PATH": link_tools(tmp_path / "bin"), "PYENV_ROOT": nowhere, "UV_PYTHON_INSTALL_DIR": nowhere}


def floor_before(make: MakeProject, version: str) -> Path:
    """Promise also the interpreter before the running one, and compile for the limited API of ``version``."""
    # The version is in a variable, since a literal would be compared with the promise before the build.
    folder = make("abi3", git=False, replace={"meson.build": ("limited_api: '3.11'", "limited_api: floor")})
    set_line(folder, "python = import", f"floor = '{version}'\npython = import", "meson.build")
    set_line(folder, MATRIX, f'interpreters = ["{BEFORE}", "{RUNNING}"]')
    set_line(folder, 'requires-python = ">=3.11"', 'requires-python = ">=3.9"')
    return folder


def test_a_newer_interpreter_alone_builds_for_the_floor_if_verification_allows(
    project: MakeProject, wheelkit: Wheelkit, alone: dict[str, str]
) -> None:
    folder = floor_before(project, f"3.{sys.version_info[1] - 1}")
    done = wheelkit(*HOST, cwd=folder, env=alone)
    assert done.returncode == 0
    assert (
        f"built on {RUNNING}, verified against the stable ABI of 3.{sys.version_info[1] - 1} "
        f"and tagged cp3{sys.version_info[1] - 1}" in done.stderr
    )
    assert f"not tested on {BEFORE}" in done.stderr
    (wheel,) = wheels(folder)
    assert wheel.name.split("-")[2:4] == [BEFORE, "abi3"]
    assert manifest(folder)["files"][0]["tested"] == [RUNNING]
    audit = subprocess.run(
        [sys.executable, "-m", "abi3audit", "--strict", "--report", wheel],
        capture_output=True,
        text=True,
        check=False,
    )
    assert audit.returncode == 0, audit.stdout + audit.stderr
    assert wheelkit("verify-matrix", "dist", "--native", cwd=folder).returncode == 0


# A function that joined the stable ABI with each version, and a harmless call of it.
NEWER = {
    11: ("PyObject_CheckBuffer", "PyObject_CheckBuffer(module)"),
    12: ("PyErr_GetRaisedException", "PyErr_GetRaisedException()"),
    13: ("PyModule_Add", 'PyModule_Add(module, "x", NULL)'),
    14: ("PyType_Freeze", "PyType_Freeze(&PyType_Type)"),
}


def test_a_newer_interpreter_alone_keeps_its_tag_when_the_wheel_needs_it(
    project: MakeProject, wheelkit: Wheelkit, alone: dict[str, str]
) -> None:
    symbol, call = NEWER[sys.version_info[1]]
    folder = floor_before(project, f"3.{sys.version_info[1]}")
    set_line(folder, "(void)module;", f"if (args == NULL) {{ return (PyObject *)(size_t){call}; }}", "core.c")
    done = wheelkit(*HOST, cwd=folder, env=alone)
    assert done.returncode == 0
    assert (
        f"the wheel stays tagged {RUNNING}: {symbol} is not in the stable ABI of 3.{sys.version_info[1] - 1}"
        in done.stderr
    )
    (wheel,) = wheels(folder)
    assert wheel.name.split("-")[2:4] == [RUNNING, "abi3"]
    verified = wheelkit("verify-matrix", "dist", "--native", cwd=folder)
    assert verified.returncode == 1
    assert BEFORE in verified.stdout


def glibc() -> tuple[int, int]:
    name = os.confstr("CS_GNU_LIBC_VERSION") or "glibc 0.0"
    major, minor = name.split()[1].split(".")[:2]
    return int(major), int(minor)


too_new_here = pytest.mark.skipif(glibc() < (2, 34), reason="here dlopen is an old symbol of another library")


def loading(make: MakeProject, more: str = "") -> Path:
    """Copy a project that calls dlclose, which is a new symbol here, and promise an old system."""
    folder = running_only(make, "abi3", replace={"pyproject.toml": (TARGET, "manylinux_2_17_x86_64")})
    set_line(folder, "#include <Python.h>", f"#include <Python.h>\n#include <dlfcn.h>\n{more}", "core.c")
    set_line(folder, "(void)module;", "if (args == NULL) { dlclose(module); }", "core.c")
    return folder


@too_new_here
def test_a_symbol_that_is_too_new_for_the_target_is_named(project: MakeProject, wheelkit: Wheelkit) -> None:
    folder = loading(project)
    done = wheelkit(*HOST, cwd=folder, env={"CC": "cc"})
    assert done.returncode == 1
    assert (
        f"momentum-1.2.0-{RUNNING}-abi3-linux_x86_64.whl needs a newer system than manylinux_2_17_x86_64"
        in done.stderr
    )
    for part in (
        "momentum/_core.abi3.so",
        "dlclose",
        "GLIBC_2.34",
        "manylinux_2_17_x86_64 does not allow",
        "compile against older ones with zig (unset CC)",
        "build in a container",
        "or promise manylinux_2_",
    ):
        assert part in done.stderr
    assert "with zig against" not in done.stderr
    assert not (folder / "dist").exists()
    set_line(folder, "manylinux_2_17_x86_64", "manylinux_2_34_x86_64")
    assert wheelkit(*HOST, cwd=folder).returncode == 0
    assert "manylinux_2_34_x86_64" in wheels(folder)[0].name
    assert "zig" not in manifest(folder, "manylinux_2_34_x86_64")["tools"]["compiler"]


@too_new_here
def test_zig_compiles_where_the_machines_own_libraries_are_too_new(
    project: MakeProject, wheelkit: Wheelkit
) -> None:
    pytest.importorskip("ziglang")
    folder = loading(project)
    done = wheelkit(*HOST, cwd=folder)
    assert done.returncode == 0
    message = (
        "compiled again with zig against glibc 2.17: with this machine's own libraries "
        "momentum/_core.abi3.so needs GLIBC_2.34 (dlclose"
    )
    assert message in done.stderr
    (wheel,) = wheels(folder)
    assert "manylinux_2_17_x86_64" in wheel.name
    document = manifest(folder, "manylinux_2_17_x86_64")
    assert document["files"][0]["tested"] == [RUNNING]
    assert re.fullmatch(r"zig \S+ for x86_64-linux-gnu\.2\.17", document["tools"]["compiler"])
    assert wheelkit("verify-matrix", "dist", "--native", cwd=folder).returncode == 0
    assert 'platform tag: "manylinux_2_5_x86_64"' in shown_by_auditwheel(wheel)
    set_line(folder, "mass * speed", "speed * mass", "core.c")
    again = wheelkit(*HOST, cwd=folder)
    assert again.returncode == 0
    assert (
        "compiled with zig against glibc 2.17: this machine's libraries were too new when it was last built"
        in again.stderr
    )
    assert [
        line.split("  ")[1] for line in again.stderr.splitlines() if re.search(r"host build cp.* s\b", line)
    ] == [f"host build {RUNNING}-manylinux_x86_64, zig"]


@too_new_here
def test_a_project_that_zig_does_not_compile_either_is_reported_with_both_reasons(
    project: MakeProject, wheelkit: Wheelkit
) -> None:
    pytest.importorskip("ziglang")
    folder = loading(project, '#ifdef __clang__\n#error "of GCC only"\n#endif\n')
    done = wheelkit(*HOST, cwd=folder)
    assert done.returncode == 1
    assert (
        "needs a newer system than manylinux_2_17_x86_64, and zig could not build it for an older one"
        in done.stderr
    )
    assert re.search(
        r"^ *this machine's compiler: momentum/_core.abi3.so needs GLIBC_2.34 \(dlclose",
        done.stderr,
        re.MULTILINE,
    )
    assert re.search(
        rf'^ *zig: building momentum for {RUNNING} with zig failed: .*"of GCC only"',
        done.stderr,
        re.MULTILINE,
    )
    assert "full log: " in done.stderr
    assert not (folder / "dist").exists()


@pytest.fixture
def gear(tmp_path: Path) -> dict[str, str]:
    """Build the library that the project links; returns variables with which linker and loader find it."""
    folder = tmp_path / "lib"
    folder.mkdir()
    source = Path(__file__).parents[1] / "projects/grafting/gear/gear.c"
    subprocess.run(
        ["cc", "-shared", "-fPIC", "-Wl,-soname,libgear.so.1", "-o", folder / "libgear.so.1", source],
        check=True,
    )
    (folder / "libgear.so").symlink_to("libgear.so.1")
    return {"LIBRARY_PATH": str(folder), "LD_LIBRARY_PATH": str(folder)}


def grafting(make: MakeProject, more: str = "") -> Path:
    folder = running_only(make, "grafting")
    with (folder / "pyproject.toml").open("a") as stream:
        stream.write(more)
    return folder


def members(wheel: Path) -> list[str]:
    with zipfile.ZipFile(wheel) as archive:
        return [name for name in archive.namelist() if "libgear" in name]


def test_a_foreign_library_is_grafted(project: MakeProject, wheelkit: Wheelkit, gear: dict[str, str]) -> None:
    folder = grafting(project, '\n[tool.wheelkit.distribution.torque]\nlib-path = ["../lib"]\n')
    assert wheelkit(*HOST, cwd=folder, env={"LIBRARY_PATH": gear["LIBRARY_PATH"]}).returncode == 0
    (wheel,) = wheels(folder)
    (library,) = members(wheel)
    assert library.startswith("torque.libs/libgear-")
    (built,) = manifest(folder)["files"]
    assert (built["grafted"], built["excluded"], built["tested"]) == ([library.split("/")[1]], [], [RUNNING])


def test_a_library_that_is_not_on_the_search_path_is_named(
    project: MakeProject, wheelkit: Wheelkit, gear: dict[str, str]
) -> None:
    folder = grafting(project)
    done = wheelkit(*HOST, cwd=folder, env={"LIBRARY_PATH": gear["LIBRARY_PATH"]})
    assert done.returncode == 4
    assert "it needs libgear.so.1, which was not found" in done.stderr
    assert "lib-path in [tool.wheelkit.distribution.NAME]" in done.stderr
    assert not (folder / "dist").exists()


def test_an_excluded_library_is_left_to_its_provider(
    project: MakeProject, wheelkit: Wheelkit, gear: dict[str, str]
) -> None:
    folder = grafting(project, '\n[tool.wheelkit.exclude]\ngearbox = ["libgear.so", "libnothing*"]\n')
    done = wheelkit(*HOST, cwd=folder, env=gear)
    assert done.returncode == 0
    (wheel,) = wheels(folder)
    assert members(wheel) == []
    (built,) = manifest(folder)["files"]
    assert (built["grafted"], built["excluded"]) == ([], ["libgear.so.1"])
    assert 'WK504  exclude.gearbox: no wheel needs a library that matches "libnothing*"' in done.stderr


def test_a_failing_smoke_command_keeps_the_wheel_out(project: MakeProject, wheelkit: Wheelkit) -> None:
    folder = running_only(project, "abi3", replace={"pyproject.toml": ("== 6.0", "== 7.0")})
    done = wheelkit(*HOST, cwd=folder)
    assert done.returncode == 1
    assert (
        f"on {RUNNING} failed with exit status 1: "
        "python -c 'import momentum; assert momentum.of(2.0, 3.0) == 7.0'" in done.stderr
    )
    assert "AssertionError" in done.stderr
    assert "full log: " in done.stderr
    assert [path.name for path in (folder / "dist").iterdir()] == ["failed"]


def test_the_result_as_json_is_the_manifests(project: MakeProject, wheelkit: Wheelkit) -> None:
    folder = running_only(project, "single_version")
    done = wheelkit(*HOST, "--json", "--out", "ready", cwd=folder)
    assert done.returncode == 0
    document = json.loads(done.stdout)
    (path,) = (folder / "ready").glob("*.wheelkit.json")
    assert document == {"schema": 1, "manifests": [json.loads(path.read_text())]}
