"""Proves what is about to ship, and remembers which files were proven together, so that the same ones need it once."""

from __future__ import annotations

import json
from hashlib import sha256
from typing import TYPE_CHECKING

from msgspec import to_builtins

from wheelkit.builders.cache import tools
from wheelkit.builders.cache.entry import canonical
from wheelkit.errors import CheckFailedError
from wheelkit.machine.progress import step

if TYPE_CHECKING:
    from collections.abc import Sequence

    from wheelkit.builders.results import UnitResult
    from wheelkit.builders.run import BuildRun
    from wheelkit.builders.units import BuildOrder
    from wheelkit.verification.model import Report


def verify_built(batches: Sequence[UnitResult], order: BuildOrder, run: BuildRun) -> None:
    """Verify the files as they are about to ship; coverage is judged later, over the whole dist folder.

    The same files, held against the same promises by the same wheelkit, were proven when that is remembered: then only its warnings are
    told again. Raises CheckFailedError with the findings.
    """
    store = run.cache.store if run.cache is not None else None
    name = _name(batches, order)
    told = (
        store.load_value("proofs", name)
        if store is not None and all(batch.hit for batch in batches)
        else None
    )
    if told is not None:
        warnings = json.loads(told)
    else:
        warnings = _warnings(_verified(batches, order, run))
        if store is not None:
            store.save_value("proofs", name, json.dumps(warnings))
    for line in warnings:
        run.progress.note(line)


def _name(batches: Sequence[UnitResult], order: BuildOrder) -> str:
    """Digest the files, what they are held against, and who judges."""
    config, family = order.config, order.plan.family
    document = {
        "files": sorted((one.file, one.sha256) for batch in batches for one in batch.files),
        "promised": [[item.key, item.kind, item.requires_python] for item in family.distributions],
        "matrix": to_builtins(config.matrix),
        "settings": {name: [one.max_size, dict(one.ignore)] for name, one in config.distribution.items()},
        "exclude": [to_builtins(one) for one in config.exclude],
        "runner": dict(config.runner),
        "wheelkit": tools.wheelkit_version(),
        "tables": tools.versions(("auditwheel", "abi3info", "packaging")),
    }
    return sha256(canonical(document)).hexdigest()


def _verified(batches: Sequence[UnitResult], order: BuildOrder, run: BuildRun) -> Report:
    from wheelkit.verification.contract import contract_of
    from wheelkit.verification.run import verify

    folder = run.shop.new_folder("proof")
    files = [path for batch in batches for path in batch.lying_in(folder).values()]
    with step(run.progress, "verify"):
        report = verify(files, contract_of(order.config, order.plan.family))
        failing = [finding for finding in report.findings if finding.fails]
        if failing:
            lines = [f"{one.code}  {one.file}: {one.what}\n       {one.fix}" for one in failing]
            count = f"{len(failing)} finding{'s' if len(failing) > 1 else ''}"
            raise CheckFailedError(
                f"what was built is not what it claims: {count}; the dist folder is as it was",
                detail="\n".join(lines),
                hint=f"wheelkit explain {failing[0].code}",
            )
    return report


def _warnings(report: Report) -> list[str]:
    """Say each warning in a line; the same of several files once, with the first of them."""
    from wheelkit.verification.model import Severity

    files: dict[tuple[str, str], list[str]] = {}
    for one in report.findings:
        if one.severity is Severity.WARNING and not one.accepted:
            files.setdefault((one.code, one.what), []).append(one.file)
    return [f"{code}  {_first(names)}{what}" for (code, what), names in files.items()]


def _first(names: list[str]) -> str:
    more = f" and {len(names) - 1} more" if names[1:] else ""
    return f"{names[0]}{more}: " if names[0] else ""
