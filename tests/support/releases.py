"""Families ready to publish: a project under git, and a dist folder with wheels, sdists and manifests."""

from __future__ import annotations

import gzip
import io
import re
import subprocess
import tarfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from support import wheels
from support.command import git_commit
from wheelkit import manifest

NATIVE_WHEEL = "{name}-{version}-cp311-abi3-manylinux_2_40_x86_64.whl"
PURE_WHEEL = "{name}-{version}-py3-none-any.whl"
README = ("Description-Content-Type: text/markdown", "Summary: A member of a family.")


@dataclass(frozen=True, kw_only=True)
class Member:
    """A distribution: its name, the siblings that it requires, and templates of its wheels' names.

    ``third_parties`` are its other requirements, ``script`` names a console script, ``code`` is its module's
    code. Without a ``version`` of its own it has that of the family.
    """

    name: str
    needs: tuple[str, ...] = ()
    wheels: tuple[str, ...] = (PURE_WHEEL,)
    meta: bool = False
    metadata: tuple[str, ...] = README
    third_parties: tuple[str, ...] = ()
    script: str = ""
    code: str = ""
    version: str = ""


CORE = Member(name="gyro-core", wheels=(NATIVE_WHEEL,))
CLI = Member(name="gyro-cli", needs=("gyro-core",))
META = Member(name="gyro", needs=("gyro-core", "gyro-cli"), meta=True)
FAMILY = (CORE, CLI, META)


@dataclass(frozen=True, kw_only=True)
class Project:
    """A family on disk: its root, its dist folder, and the commit that it was built from."""

    root: Path
    dist: Path
    commit: str
    version: str
    members: tuple[Member, ...] = field(default=FAMILY)

    def files(self) -> list[Path]:
        """Return the wheels and sdists."""
        return sorted(path for path in self.dist.iterdir() if path.suffix in {".whl", ".gz"})

    def version_of(self, member: Member) -> str:
        """Return the version of a member."""
        return member.version or self.version

    def tag(self, name: str | None = None) -> None:
        """Tag the commit as released."""
        subprocess.run(["git", "-C", self.root, "tag", name or f"v{self.version}"], check=True)


def make_family(  # noqa: PLR0913 - one per property of a family
    root: Path,
    members: Iterable[Member] = FAMILY,
    *,
    version: str = "1.0",
    config: str = "",
    builder: str = "host",
    dirty: bool = False,
    git: bool = True,
) -> Project:
    """Write a family and the dist folder of its build; ``config`` is added to its wheelkit.toml."""
    root.mkdir(parents=True, exist_ok=True)
    family = tuple(members)
    for member in family:
        _source(root, member, member.version or version)
    targets = '[matrix]\ntargets = ["manylinux_2_40_x86_64"]\ninterpreters = ["cp311", "cp312"]\n'
    (root / "wheelkit.toml").write_text(f'distributions = ["packages/*"]\n{targets}{config}')
    (root / ".gitignore").write_text("dist/\n")
    commit = git_commit(root) if git else ""
    project = Project(root=root, dist=root / "dist", commit=commit, version=version, members=family)
    project.dist.mkdir(exist_ok=True)
    for member in family:
        _build(project, member, builder, dirty=dirty)
    return project


def bumped(project: Project, name: str, version: str, *, whole: bool = False) -> Project:
    """Give a member another version, commit, and build it, or the ``whole`` family, into an empty dist."""
    path = project.root / "packages" / name / "pyproject.toml"
    path.write_text(re.sub(r'(?m)^version = ".*"$', f'version = "{version}"', path.read_text()))
    members = tuple(
        replace(member, version=version) if member.name == name else member for member in project.members
    )
    project = replace(project, members=members, commit=git_commit(project.root))
    for file in project.dist.iterdir():
        file.unlink()
    for member in members:
        if whole or member.name == name:
            _build(project, member, "host", dirty=False)
    return project


def _source(root: Path, member: Member, version: str) -> None:
    folder = root / "packages" / member.name
    folder.mkdir(parents=True)
    backend = "mesonpy" if _native(member) else "hatchling.build"
    needs = ", ".join(
        [*(f'"{name}>=1,<99"' for name in member.needs), *(f'"{text}"' for text in member.third_parties)]
    )
    (folder / "pyproject.toml").write_text(
        f'[build-system]\nrequires = []\nbuild-backend = "{backend}"\n\n'
        f'[project]\nname = "{member.name}"\nversion = "{version}"\nrequires-python = ">=3.11"\n'
        f"dependencies = [{needs}]\n"
    )
    if not member.meta:
        (folder / member.name.replace("-", "_")).mkdir()
        (folder / member.name.replace("-", "_") / "__init__.py").write_text("")


def _native(member: Member) -> bool:
    return not all(name.endswith("-any.whl") for name in member.wheels)


def _build(project: Project, member: Member, builder: str, *, dirty: bool) -> None:
    by_target: dict[str, list[Path]] = {}
    for template in member.wheels:
        filename = template.format(name=member.name.replace("-", "_"), version=project.version_of(member))
        target = "any" if filename.endswith("-any.whl") else filename.removesuffix(".whl").rpartition("-")[2]
        by_target.setdefault(target, []).append(_wheel(project, member, filename))
    by_target["sdist"] = [_sdist(project, member)]
    for target, paths in by_target.items():
        write_manifest(
            project, member, target, paths, builder if target not in {"any", "sdist"} else "pure", dirty=dirty
        )


def write_manifest(  # noqa: PLR0913 - one per property that a test may change
    project: Project,
    member: Member,
    target: str,
    paths: Iterable[Path],
    builder: str,
    *,
    dirty: bool = False,
    version: str = "",
) -> Path:
    """Write the manifest of one build."""
    record = manifest.Manifest(
        distribution=member.name,
        version=version or project.version_of(member),
        target=target,
        builder=builder,
        source="0" * 64,
        commit=project.commit,
        dirty=dirty,
        created="2026-11-20T10:00:00+00:00",
        tools={"wheelkit": "0.1.0"},
        files=tuple(manifest.describe(path, "sdist" if target == "sdist" else "wheel") for path in paths),
    )
    path = project.dist / record.filename
    path.write_text(record.to_json())
    return path


def _metadata(project: Project, member: Member) -> str:
    needs = [f"Requires-Dist: {name}>=1,<99" for name in member.needs]
    needs += [f"Requires-Dist: {text}" for text in member.third_parties]
    return wheels.metadata(
        member.name,
        project.version_of(member),
        "Requires-Python: >=3.11",
        *member.metadata,
        *needs,
        markup="",
    )


def _wheel(project: Project, member: Member, filename: str) -> Path:
    module = member.name.replace("-", "_")
    members: dict[str, wheels.Contents] = {"{info}/METADATA": _metadata(project, member)}
    if not member.meta:
        members[f"{module}/__init__.py"] = f'NAME = "{member.name}"\n{member.code}'
    if member.script:
        members["{info}/entry_points.txt"] = f"[console_scripts]\n{member.script} = {module}:main\n"
    if not filename.endswith("-any.whl"):
        members[f"{module}/_core.abi3.so"] = extension_module()
    return wheels.write_wheel(project.dist, filename, members=members, package=False)


def extension_module() -> bytes:
    """Return a real extension module: wheelkit's own."""
    from wheelkit import _core

    return Path(_core.__file__).read_bytes()


def _sdist(project: Project, member: Member) -> Path:
    stem = f"{member.name.replace('-', '_')}-{project.version_of(member)}"
    source = project.root / "packages" / member.name / "pyproject.toml"
    texts: Mapping[str, str] = {"PKG-INFO": _metadata(project, member), "pyproject.toml": source.read_text()}
    if _native(member):
        texts = {**texts, "meson.build": "project('x', 'c')\n"}
    path = project.dist / f"{stem}.tar.gz"
    # Without a time in its header, the archive is the same whenever it is written.
    with (
        gzip.GzipFile(path, "wb", mtime=0) as compressed,
        tarfile.open(fileobj=compressed, mode="w") as archive,
    ):
        for name, text in texts.items():
            info = tarfile.TarInfo(f"{stem}/{name}")
            info.size = len(text)
            archive.addfile(info, io.BytesIO(text.encode()))
    return path
