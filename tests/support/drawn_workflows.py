"""Write and lint the workflows of drawn configurations."""

from __future__ import annotations

import contextlib
import io
import os
import random
import re
import sys
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2] / "ci"))

import lint_workflows

from support.drawn_configs import Drawn, draw
from wheelkit.__main__ import main

# What a refused configuration prints: the count, then one line for each mistake.
_REFUSED = re.compile(r"wheelkit: (?P<count>\d+) mistakes? in the configuration, .*\n(?P<lines>(?:  .*\n)+)")
_OTHER = re.compile(r"wheelkit: .+\n(?:  .*\n)*")
_KEY = re.compile(r"^ *(?:tool\.wheelkit\.)?(?P<key>[a-z-]+(?:\.[a-z-]+)?)")


@dataclass
class Outcome:
    """The findings, and how many configurations each service took and refused."""

    findings: list[str] = field(default_factory=list)
    written: Counter[str] = field(default_factory=Counter)
    refused: Counter[str] = field(default_factory=Counter)
    keys: Counter[str] = field(default_factory=Counter)

    def __str__(self) -> str:
        """Return the totals."""
        services = ", ".join(
            f"{service}: {self.written[service]} linted and {self.refused[service]} refused"
            for service in sorted({*self.written, *self.refused})
        )
        keys = ", ".join(f"{key} {count}" for key, count in self.keys.most_common(12))
        return f"{services}; {len(self.findings)} findings\nrefused for: {keys}"


def campaign(numbers: Iterable[int], seed: int, folder: Path) -> Outcome:
    """Write the workflows of drawn configurations below a folder, and lint all of them at once."""
    outcome = Outcome()
    repositories = []
    for number in numbers:
        for provider in ("github", "gitlab"):
            project = folder / f"{number}-{provider}"
            if _write(draw(number, seed), project, provider, random.Random(number), outcome):  # noqa: S311
                repositories.append(project)
    outcome.findings += lint_workflows.lint(repositories) if repositories else []
    return outcome


def _write(drawn: Drawn, project: Path, provider: str, chosen: random.Random, outcome: Outcome) -> bool:
    """Write a project and its workflows, twice with the user's steps; return whether it is to be linted."""
    drawn.write(project)
    code, told = _wheelkit(project, "ci", "--provider", provider)
    if code == 2:
        outcome.refused[provider] += 1
        outcome.findings += [f"{project}: {line}" for line in _not_one_message(told, outcome)]
        return False
    if code:
        outcome.findings.append(f"{project}: exit code {code}: {told}")
        return False
    outcome.written[provider] += 1
    for path in sorted(project.glob(".github/workflows/*.yml")):
        drawn.add_steps(path, chosen)
    before = {path: path.read_bytes() for path in project.glob(".github/workflows/*.yml")}
    again, told = _wheelkit(project, "ci", "--provider", provider, "--check")
    if again or {path: path.read_bytes() for path in before} != before:
        outcome.findings.append(f"{project}: the second run differs: {told}")
    return True


def _wheelkit(project: Path, *words: str) -> tuple[int, str]:
    out, told = io.StringIO(), io.StringIO()
    before = Path.cwd()
    os.chdir(project)
    try:
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(told):
            code = main([*words, "--config", "pyproject.toml"])
    finally:
        os.chdir(before)
    return code, told.getvalue() + out.getvalue()


def _not_one_message(told: str, outcome: Outcome) -> list[str]:
    """Return what is wrong with the text of a refusal."""
    refusal = _REFUSED.match(told)
    lines = refusal["lines"].splitlines() if refusal else []
    outcome.keys.update(match["key"] for line in lines if (match := _KEY.match(line)))
    if not refusal and not _OTHER.fullmatch(told):
        return [f"no message: {told[:500]!r}"]
    odd = [sign for sign in told if not sign.isprintable() and sign != "\n"]
    return [f"a sign that is not visible reaches the terminal: {odd[0]!r}"] if odd else []
