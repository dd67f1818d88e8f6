"""``wheelkit explain``: what a finding means, why it matters to whoever installs the wheel, and how to mend it."""

from __future__ import annotations

import shutil
import textwrap

import click

from wheelkit.cli.options import json_option
from wheelkit.cli.output import columns, result, result_json
from wheelkit.errors import UsageError
from wheelkit.verification.findings import Entry, entries

_WIDTH = 88
_GAP = 2


@click.command("explain")
@click.argument("codes", metavar="[CODE]...", nargs=-1)
@json_option
def command(codes: tuple[str, ...], as_json: bool) -> None:
    """Tell what a finding means, why it matters, and how to mend it; without a CODE, list all of them."""
    known = entries()
    chosen = [_chosen(code) for code in codes] or list(known.values())
    if as_json:
        result_json([_facts(one) for one in chosen])
    elif codes:
        result("\n\n".join(_text(one) for one in chosen))
    else:
        result(columns([(one.code, one.severity.value, one.title) for one in chosen], indent=0))


def _facts(one: Entry) -> dict[str, object]:
    facts = {"code": one.code, "title": one.title, "severity": one.severity, "why": one.why, "fix": one.fix}
    return facts | {"tools": dict(one.tools)}


def _chosen(code: str) -> Entry:
    table = entries()
    wanted = code.upper()
    if wanted in table:
        return table[wanted]
    near = [name for name in table if name.startswith(wanted)]
    hint = f"codes that begin so: {', '.join(near)}" if near else "wheelkit explain    lists all codes"
    raise UsageError(f'there is no finding "{code}"', hint=hint)


def _text(one: Entry) -> str:
    width = min(shutil.get_terminal_size((_WIDTH, 24)).columns, _WIDTH)
    blocks = [
        f"{one.code}  {one.title}  ({one.severity})",
        _filled(one.why, width),
        f"to mend it:\n{_filled(one.fix, width)}",
    ]
    label = max(map(len, one.tools), default=0) + _GAP
    rows = [_filled(text, width, name.ljust(label)) for name, text in one.tools.items()]
    return "\n\n".join([*blocks, *(["\n".join(rows)] if rows else [])])


def _filled(text: str, width: int, label: str = "") -> str:
    first, later = " " * _GAP + label, " " * (_GAP + len(label))
    words = " ".join(text.split())
    return textwrap.fill(
        words,
        width,
        initial_indent=first,
        subsequent_indent=later,
        break_long_words=False,
        break_on_hyphens=False,
    )
