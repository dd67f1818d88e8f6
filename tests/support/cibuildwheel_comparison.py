"""Holds plans against cibuildwheel's own reader, for generated configurations.

cibuildwheel reads each project's file twice: with the user's variables alone, and with those of a step too.
What differs must be what wheelkit says that it decides.
"""

from __future__ import annotations

import dataclasses
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from cibuildwheel.errors import FatalError
from cibuildwheel.options import BuildOptions, Options
from cibuildwheel.platforms.linux import (
    all_python_configurations,
    container_image_for_python_configuration,
    get_python_configurations,
)
from msgspec.structs import replace

from support.cibuildwheel_configurations import Configuration, configuration
from support.cibuildwheel_reader import read_options, write_project
from wheelkit import config, matrix, plan
from wheelkit.builders.cache.images import image_names
from wheelkit.errors import ConfigError
from wheelkit.machine.facts import Engine, Machine
from wheelkit.matrix import System, Target
from wheelkit.plan import NativeStep, Plan
from wheelkit.plan.cibuildwheel import image
from wheelkit.project.family import Family
from wheelkit.project.kinds import Kind
from wheelkit.project.read import read

_ENGINE = Engine(name="podman", version="4.3.1", setting="podman")
_CONTAINERS = Machine(system=System.LINUX, arch="x86_64", engine=_ENGINE)
_BARE = Machine(
    system=System.LINUX, arch="x86_64", libc="manylinux", libc_version=(2, 17), engine_problem="none"
)
_PYTHONS = {python.identifier: python for python in all_python_configurations()}
_THREADED = "setup-args=-Dpython.allow_limited_api=false"
# Values of the weakest layer, which show where the project and the environment set nothing.
_UNSET = {
    "test-command": "unset",
    "repair-wheel-command": "unset",
    "container-engine": "docker; create_args: --unset",
    "manylinux-x86_64-image": "unset",
    "musllinux-x86_64-image": "unset",
}


class Comparison:
    """Counts what is compared, and collects the disagreements."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.builds = self.rejected = self.split = 0
        self.disagreements: list[str] = []

    def add(self, seed: int) -> None:
        """Compare the configuration of a seed."""
        wanted = configuration(seed)
        write_project(self.folder, wanted.table)
        if differences := dict.fromkeys(self._differences(wanted)):
            text = "\n  ".join(differences)
            self.disagreements.append(f"seed {seed}: {wanted.table}\n  {wanted.environ}\n  {text}")

    def _differences(self, wanted: Configuration) -> Iterator[str]:
        try:
            containers, bare = _plan(self.folder, wanted, _CONTAINERS), _plan(self.folder, wanted, _BARE)
        except ConfigError as error:
            self.rejected += 1
            if not _rejects(self.folder, wanted):
                yield f"only wheelkit rejects it: {error.problems}"
            return
        # cibuildwheel looks at its other options as well, such as the images of other architectures.
        self.split += len(containers.steps) > len(containers.targets)
        for step in containers.steps:
            yield from self._of_step(step, wanted)
        for step in bare.steps:
            yield from _of_host(step, read_options(self.folder, wanted.environ), wanted)

    def _of_step(self, step: NativeStep, wanted: Configuration) -> Iterator[str]:
        own = read_options(self.folder, wanted.environ)
        with_step = read_options(self.folder, {**wanted.environ, **step.env})
        selected = get_python_configurations(
            with_step.globals.build_selector, with_step.globals.architectures
        )
        if {python.identifier for python in selected} != set(step.identifiers):
            yield f"builds {[python.identifier for python in selected]}, planned are {step.identifiers}"
        unset = self._unset(wanted)
        commands = {unset.build_options(build).test_command for build in step.identifiers}
        images: set[str] = set()
        for build in step.identifiers:
            self.builds += 1
            found, user = with_step.build_options(build), own.build_options(build)
            images.add(_image(found, build))
            expected = {
                **_fields(user, build),
                "repair_command": step.repair,
                **({} if _is_set(unset, build, "image") else {"image": _pinned(step.target)}),
                **({} if _is_set(unset, build, "engine") else {"container_engine": "podman"}),
                **({"test_command": step.env["CIBW_TEST_COMMAND_LINUX"]} if commands == {"unset"} else {}),
            }
            if step.interpreters[0].free_threaded and wanted.limited_api:
                words = (user.config_settings, _THREADED)
                expected["config_settings"] = " ".join(filter(None, words))
            for name, value in _fields(found, build).items():
                if value != expected[name]:
                    yield f"{build} {name}: {value!r}, not {expected[name]!r}"
            if with_step.globals.test_selector(build) != own.globals.test_selector(build):
                yield f"{build}: another test-skip"
            named = any("repair-wheel-command" in place or "REPAIR" in place for place in step.overridden)
            if unset.build_options(build).repair_command != "unset" and not named:
                yield f"{build}: the repair command is overridden without a word"
        if set(image_names(step, wanted.environ)) != images:
            yield f"the cache asks for the images {image_names(step, wanted.environ)}, not {images}"

    def _unset(self, wanted: Configuration) -> Options:
        """Return the options of a project whose weakest layer has the values of _UNSET."""
        table = dict(wanted.table)
        platform = table.get("linux", {})
        for key, value in _UNSET.items():
            if key not in table and key not in platform:
                table[key] = value
            elif key.endswith("-image") and not (table.get(key) or platform.get(key)):
                table[key] = value  # an empty name of an image counts for nothing
        write_project(self.folder / "unset", table)
        return read_options(self.folder / "unset", wanted.environ)


def _plan(folder: Path, wanted: Configuration, machine: Machine) -> Plan:
    document = {"matrix": {"targets": list(wanted.targets), "interpreters": list(wanted.interpreters)}}
    loaded = config.parse(document, source=None, root=folder, validators=(matrix.validate,))
    member = read(folder)
    settings: dict[str, Any] = {"kind": Kind.NATIVE, "limited_api": wanted.limited_api}
    if wanted.limited_api:
        settings["backend"] = "mesonpy"  # whose free-threaded builds need a setting
    family = Family(root=folder, distributions=(replace(member, **settings),))
    request = plan.PlanRequest(machine=machine, out=folder / "dist", environ=wanted.environ)
    return plan.make_plan(loaded, family, request)


def _rejects(folder: Path, wanted: Configuration) -> bool:
    """Return whether cibuildwheel rejects a configuration, as it does before it builds anything."""
    try:
        options = read_options(folder, wanted.environ)
        _ = options.globals
        for build in (None, *_PYTHONS):
            options.build_options(build)
    except (Exception, FatalError):  # noqa: BLE001 - it ends with errors of every kind
        return True
    return False


def _fields(options: BuildOptions, build: str) -> dict[str, Any]:
    """Return all options of a build, with its one image."""
    names = [field.name for field in dataclasses.fields(options)]
    kept = [name for name in names if name != "globals" and not name.endswith("linux_images")]
    fields = {name: getattr(options, name) for name in kept}
    fields["environment"], fields["test_environment"] = map(
        repr, (options.environment, options.test_environment)
    )
    engine = options.container_engine
    fields["container_engine"] = " ".join([engine.name, *engine.create_args])
    fields["hides_host"] = engine.disable_host_mount
    return {**fields, "image": _image(options, build)}


def _image(options: BuildOptions, build: str) -> str:
    return container_image_for_python_configuration(_PYTHONS[build], options)


def _is_set(unset: Options, build: str, what: str) -> bool:
    options = unset.build_options(build)
    if what == "image":
        return _image(options, build) != "unset"
    return options.container_engine.create_args != ("--unset",)


def _pinned(target: Target) -> str:
    """Return the image that wheelkit chooses for a target, in full."""
    environ = {"CIBW_MANYLINUX_X86_64_IMAGE": image(target), "CIBW_MUSLLINUX_X86_64_IMAGE": image(target)}
    return _image(
        read_options(Path("no such folder"), environ).build_options(None), f"cp311-{target.build_suffix}"
    )


def _of_host(step: NativeStep, own: Options, wanted: Configuration) -> Iterator[str]:
    """Yield how the settings of host builds differ from those of cibuildwheel."""
    for interpreter, build in zip(step.interpreters, step.identifiers, strict=True):
        options, settings = own.build_options(build), step.settings.get(interpreter.tag)
        words = [f"{key}={value}" for key, value in settings.config_settings] if settings else []
        if words != shlex.split(options.config_settings):
            yield f"host {build}: config settings {words}, not {options.config_settings}"
        environment = dict(settings.environment) if settings else {}
        computed = any("$(" in repr(one) for one in options.environment.assignments)
        expected = {} if computed else options.environment.as_dictionary(wanted.environ)
        if not computed and {**wanted.environ, **environment} != expected:
            yield f"host {build}: environment {environment}, not {expected}"
        if computed and not any(place.startswith("environment ") for place in step.overridden):
            yield f"host {build}: a computed variable is left out without a word"
