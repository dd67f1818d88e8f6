"""``wheelkit explain``: what a finding means, why it matters, and how to fix it."""

from __future__ import annotations

import shutil

import click

from wheelkit.cli.options import json_option
from wheelkit.cli.output import columns, result_json, show
from wheelkit.errors import UsageError
from wheelkit.text import wrap
from wheelkit.verification.findings import FindingKind, finding_kinds

_WIDEST = 88


@click.command("explain")
@click.argument("codes", metavar="[CODE]...", nargs=-1)
@json_option
def command(codes: tuple[str, ...], as_json: bool) -> None:
    """Explain what a finding means, why it matters, and how to fix it; without a CODE, list all of them."""
    chosen = [_kind(code) for code in codes] or list(finding_kinds().values())
    if as_json:
        result_json(chosen)
    elif codes:
        show("\n\n".join(map(_text, chosen)) + "\n")
    else:
        rows = [(kind.code, kind.severity.value, kind.title) for kind in chosen]
        show(columns(rows, indent=0) + "\n")


def _kind(code: str) -> FindingKind:
    table = finding_kinds()
    wanted = code.upper()
    if wanted in table:
        return table[wanted]
    similar = ", ".join(name for name in table if name.startswith(wanted))
    hint = f"codes that start with it: {similar}" if similar else "list all codes: wheelkit explain"
    raise UsageError(f'there is no finding "{code}"', hint=hint)


def _text(kind: FindingKind) -> str:
    blocks = [
        f"{kind.code}  {kind.title}  ({kind.severity})",
        _paragraph(kind.why),
        f"to fix it:\n{_paragraph(kind.fix)}",
    ]
    if kind.tools:
        width = max(map(len, kind.tools)) + 2
        blocks.append("\n".join(_paragraph(text, name.ljust(width)) for name, text in kind.tools.items()))
    return "\n\n".join(blocks)


def _paragraph(text: str, label: str = "") -> str:
    """Wrap a text to the terminal's width, indented, with a label before its first line."""
    margin = " " * (2 + len(label))
    width = min(shutil.get_terminal_size((_WIDEST, 24)).columns, _WIDEST)
    first, *others = wrap(" ".join(text.split()), width - len(margin))
    return "\n".join([f"  {label}{first}", *(margin + line for line in others)])
