"""Verifies built files before they are delivered, and saves the verdict for the same files and contract."""

from __future__ import annotations

from hashlib import sha256
from typing import TYPE_CHECKING

from msgspec import json

from wheelkit.builders.cache import tools
from wheelkit.builders.cache.store import ValueKind
from wheelkit.errors import CheckFailedError
from wheelkit.inputs import json_struct
from wheelkit.text import plural

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from wheelkit.builders.cache.store import Store
    from wheelkit.builders.results import UnitResult
    from wheelkit.machine.workspace import Workspace
    from wheelkit.verification.contract import Contract
    from wheelkit.verification.model import Finding


def verify_built(
    results: Sequence[UnitResult], contract: Contract, workspace: Workspace, store: Store | None
) -> None:
    """Verify files together, and report the warnings; coverage is judged later, over the whole dist folder.

    Files that passed the same verification before are not read again. Raises CheckFailedError.
    """
    key = verification_key(results, contract)
    remembered = store.load_value(ValueKind.VERIFICATION, key) if store else None
    warnings = None if remembered is None else _decoded(remembered)
    if warnings is None:
        warnings = _warnings(_verify(results, contract, workspace))
        if store:
            store.save_value(ValueKind.VERIFICATION, key, json.encode(warnings).decode())
    for line in warnings:
        workspace.progress.note(line)


def _decoded(remembered: str) -> list[str] | None:
    try:
        return json_struct(remembered.encode(), list[str])
    except ValueError:
        return None


def verification_key(results: Iterable[UnitResult], contract: Contract) -> str:
    """Return a digest of all inputs of a verification: the files, the contract, wheelkit and its tables."""
    inputs = {
        "files": sorted((file.file, file.sha256) for result in results for file in result.record.files),
        "contract": contract,
        "wheelkit": tools.wheelkit_digest(),
        "tables": tools.versions(("auditwheel", "abi3info", "packaging")),
    }
    return sha256(json.Encoder(order="deterministic", enc_hook=str).encode(inputs)).hexdigest()


def _verify(results: Iterable[UnitResult], contract: Contract, workspace: Workspace) -> tuple[Finding, ...]:
    from wheelkit.verification.run import verify

    folder = workspace.new_folder("verify")
    files = [path for result in results for path in result.paths_in(folder).values()]
    with workspace.step("verify"):
        findings = verify(files, contract).findings
        failing = [finding for finding in findings if finding.fails]
        if failing:
            lines = (f"{found.code}  {found.file}: {found.what}\n       {found.fix}" for found in failing)
            count = plural(len(failing), "finding")
            raise CheckFailedError(
                f"the built files failed verification ({count}); the dist folder was left unchanged",
                detail="\n".join(lines),
                hint=f"wheelkit explain {failing[0].code}",
            )
    return findings


def _warnings(findings: Iterable[Finding]) -> list[str]:
    """Return one line per warning; the same warning about several files is one line."""
    from wheelkit.verification.model import Severity

    files: dict[tuple[str, str], list[str]] = {}
    for finding in findings:
        if finding.severity is Severity.WARNING and not finding.accepted:
            files.setdefault((finding.code, finding.what), []).append(finding.file)
    return [f"{code}  {_subject(names)}{what}" for (code, what), names in files.items()]


def _subject(names: Sequence[str]) -> str:
    more = f" and {len(names) - 1} more" if names[1:] else ""
    return f"{names[0]}{more}: " if names[0] else ""
