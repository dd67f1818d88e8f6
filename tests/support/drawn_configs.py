"""Configurations drawn from a seed: every option of the workflows, with texts that are made to break them.

Each is either refused with one message, or gives workflows in which the linters find nothing.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import tomlkit
import yaml

# Beside the marks of YAML, shells, expressions and globs: what looks like another type, or like nothing.
WORDS = (
    "on", "off", "yes", "No", "true", "null", "~", "1e3", "0x1F", "010", "1_000", "1:30", "2026-11-02", "=",
    "<<", "- a", "? a", "a: b", "a:", ": a", "#a", "a #b", "a#b", "&a", "*a", "!a", "|", ">", "%a", "@a",
    "`a`", "'a'", '"a"', "a'b", 'a"b', "a\\b", "a\\", "[a]", "[a", "a]", "{a: b}", "{a", "a}", "a, b", "$a",
    "$(a)", "${a}", "${{ a }}", "${{", "}}", "a;b", "a&&b", "a|b", "a<b", "a>b", "(a)", " a", "a ", "  ",
    "", "é", "日本", "🎉", "a\tb", "a\nb", "a\x85b", "a\u2028b", "a\u202eb", "a\u200bb", "a\xa0b", "\ufeffa",
    "a\x00b", "a\x1bb", "a/b", "../a", "/a", "a//b", "a..b", "a.lock", "-a", "--a", "a*b", "a?b", "a+b",
    "[0-9]", "**", "::error::a", "##[group]a", "github.head_ref", "secrets.A",
    "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
    "test -n '${{ github.head_ref }}'", "echo 'unclosed", "GITHUB_TOKEN", "a-b", "windows-2019",
)  # fmt: skip
COMMANDS = (
    "ruff check .", "python -m pytest -k 'a and not b'", 'echo "a: b"', "echo a #b",
    "make -C build && make test", "echo $HOME > out", "echo ${HOME:-x}", 'echo "$(git rev-parse HEAD)"',
    'echo \'x\' >> "$GITHUB_ENV"', 'python -c \'print("a\\n")\'', "- echo a", "{ echo a; }", "a: b",
    "! grep -r x .", "[ -e a ]", "*", "& echo", "  echo a", "echo a  ", "% a", "@echo",
)  # fmt: skip
TARGETS = (
    "manylinux_2_28_x86_64", "manylinux_2_17_i686", "musllinux_1_2_x86_64", "manylinux_2_28_aarch64",
    "manylinux_2_31_armv7l", "manylinux_2_28_ppc64le", "macosx_10_13_x86_64", "macosx_11_0_arm64",
    "macosx_11_0_universal2", "win_amd64", "win32", "win_arm64", "ios_13_0_arm64_iphoneos",
    "android_24_arm64_v8a", "pyemscripten_2026_0_wasm32",
)  # fmt: skip
INTERPRETERS = ("cp311", "cp312", "cp314t", "cp315", "pp311", "gp312_250")
LABELS = ("self-hosted", "our-machine", "gpu:big", "our machine", "ubuntu-2404", "x, y", "[self-hosted]")
# Labels of hosted machines that build the targets, and one that does not.
HOSTED = {
    "manylinux_2_28_x86_64": ("ubuntu-22.04", "ubuntu-26.04", "macos-15"),
    "manylinux_2_28_aarch64": ("ubuntu-22.04-arm", "ubuntu-26.04-arm"),
    "macosx_11_0_arm64": ("macos-26", "macos-14", "macos-15-xlarge"),
    "win_arm64": ("windows-11-arm",),
}
INDEXES = ("ours", "1st", "on", "null", "true", "a.b-c_d", "1e3", "No", "0x1F", "github")
SECRETS = ("PYPI_TOKEN", "_x", "on", "null", "A1")
BRANCHES = ("main", "dev", "feature/*", "release/*", "v[0-9]", "release-1.x", "1.0", "a,b")
TEMPLATES = (
    "v{version}",
    "{version}",
    "py/{version}",
    "a+b-{version}",
    "v{version}+x",
    "@{version}",
    "#{version}",
)
OWN_STEPS = (
    ('- name: "é # x"', "  run: \"echo 'a: b'\""),
    ('# a comment: with "marks" and ${{ nothing }}',),
    ("- run: |", "    echo a", "", "    echo b"),
    ("-   name:   Mine", "    run: make lint"),
)


@dataclass(frozen=True)
class Drawn:
    """A configuration, and lines of a user for the marked blocks of its workflows."""

    project: dict[str, Any]
    steps: Sequence[Sequence[str]]

    def write(self, folder: Path) -> None:
        """Write the project, and the labels of its own machines as actionlint takes them."""
        folder.mkdir(parents=True)
        (folder / "pyproject.toml").write_text(tomlkit.dumps(self.project), encoding="utf-8")
        labels = {
            *self.project["tool"]["wheelkit"].get("runner", {}).values(),
            "macos-15-intel",
            "windows-11-arm",
        }
        (folder / ".github").mkdir()
        listed = {"self-hosted-runner": {"labels": sorted(map(str, labels))}}
        (folder / ".github" / "actionlint.yaml").write_text(yaml.safe_dump(listed), encoding="utf-8")

    def add_steps(self, workflow: Path, chosen: random.Random) -> None:
        """Write the user's steps into some of the marked blocks of a workflow."""
        lines = []
        for line in workflow.read_text(encoding="utf-8").split("\n"):
            lines.append(line)
            if "# >>> yours:" in line and "jobs," not in line and chosen.random() < 0.5:
                indent = line[: line.index("#")]
                lines += [f"{indent}{own}" if own else own for own in chosen.choice(self.steps)]
        workflow.write_text("\n".join(lines), encoding="utf-8")


class Draw:
    """Draws one configuration; ``odd`` is the share of texts that are made to break something."""

    def __init__(self, chosen: random.Random, odd: float) -> None:
        self._chosen = chosen
        self._odd = odd

    def _text(self, usual: Sequence[str]) -> str:
        if self._chosen.random() >= self._odd:
            return self._chosen.choice(usual)
        word = self._chosen.choice(WORDS)
        return word if self._chosen.random() < 0.5 else word + self._chosen.choice(usual)

    def _texts(self, usual: Sequence[str], most: int) -> list[str]:
        return list(dict.fromkeys(self._text(usual) for _ in range(self._chosen.randint(1, most))))

    def _maybe(self, table: dict[str, Any], key: str, value: Any) -> None:
        if self._chosen.random() < 0.6:
            table[key] = value

    def project(self) -> dict[str, Any]:
        """Return the whole pyproject.toml."""
        native = self._chosen.random() < 0.8
        name = self._text(("demo", "Demo.Kit", "a_b", "x9"))
        return {
            "build-system": {"build-backend": "mesonpy" if native else "hatchling.build"},
            "project": {"name": name, "version": "1.0", "requires-python": ">=3.11"},
            "tool": {"wheelkit": dict(self._tables(name, native=native))},
        }

    def _tables(self, name: str, *, native: bool) -> Iterator[tuple[str, Any]]:
        targets = self._chosen.sample(TARGETS, self._chosen.randint(1, 6))
        indexes = list(dict.fromkeys(self._text(INDEXES) for _ in range(self._chosen.randint(0, 2))))
        if native and self._chosen.random() < 0.9:
            yield "matrix", self._matrix(targets)
        if indexes:
            yield "index", {index: self._index() for index in indexes}
        yield "ci", self._ci(indexes)
        if self._chosen.random() < 0.5:
            yield "version", {"branches": self._texts(BRANCHES, 4)}
        if self._chosen.random() < 0.7:
            yield "distribution", {name: {"tag": self._text(TEMPLATES)}}
        if self._chosen.random() < 0.3:
            yield "publish", {"attestations": self._chosen.random() < 0.5}
        if native and (runners := dict(self._runners(targets))):
            yield "runner", runners

    def _runners(self, targets: Sequence[str]) -> Iterator[tuple[str, str]]:
        """Yield labels: those that are needed, and some of hosted machines."""
        for arch in ("ppc64le", "win_arm64"):
            if any(target.endswith(arch) for target in targets) and (arch == "ppc64le" or self._rarely()):
                yield f"*{arch}", self._text(LABELS)
        for target in sorted(set(HOSTED).intersection(targets)):
            if self._rarely():
                yield target, self._chosen.choice(HOSTED[target])

    def _rarely(self) -> bool:
        return self._chosen.random() < 0.2

    def _matrix(self, targets: Sequence[str]) -> dict[str, Any]:
        matrix: dict[str, Any] = {
            "targets": list(targets),
            # Each target has one of the first two.
            "interpreters": [
                "cp313",
                "cp314",
                *self._chosen.sample(INTERPRETERS, self._chosen.randint(0, 3)),
            ],
        }
        if self._chosen.random() < 0.2:
            matrix["skip"] = self._texts(("cp311-*", "*-musllinux*", "pp*"), 2)
        return matrix

    def _index(self) -> dict[str, Any]:
        folder = self._text(("upload/", "a%20b/", ""))
        index: dict[str, Any] = {
            "upload": f"https://packages.example.org/{folder}",
            "simple": "https://packages.example.org/simple/",
        }
        self._maybe(index, "attestations", self._chosen.random() < 0.5)
        return index

    def _ci(self, indexes: Sequence[str]) -> dict[str, Any]:
        known = ["testpypi", "pypi", *indexes]
        ci: dict[str, Any] = {}
        self._maybe(
            ci,
            "install",
            self._texts((".", "./a b", "wheelkit==0.1.0", "wheelkit @ git+https://h/x@main"), 2),
        )
        self._maybe(ci, "lint", self._texts(COMMANDS, 3))
        self._maybe(ci, "test", self._texts(COMMANDS, 3))
        self._maybe(ci, "staging", self._chosen.choice([False, *known[::2], "testpypi"]))
        self._maybe(ci, "production", self._chosen.choice([*known[1:], "pypi"]))
        self._maybe(ci, "secrets", {self._chosen.choice(known): self._text(SECRETS)})
        self._maybe(ci, "github-release", self._chosen.random() < 0.5)
        return ci


def draw(number: int, seed: int) -> Drawn:
    """Draw the configuration with a number; every fourth has usual texts only."""
    chosen = random.Random(f"{seed}-{number}")  # noqa: S311 - repeatable, not secret
    odd = 0.0 if number % 4 == 0 else chosen.choice([0.05, 0.15])
    return Drawn(project=Draw(chosen, odd).project(), steps=OWN_STEPS)
