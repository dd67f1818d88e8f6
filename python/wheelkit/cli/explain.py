"""``wheelkit explain``: what a finding means, why it matters to whoever installs the wheel, and how to mend it."""

from __future__ import annotations

import textwrap

import click

from wheelkit.checks.catalogue import Entry, entries
from wheelkit.cli.context import json_option
from wheelkit.cli.screen import columns, result, result_json
from wheelkit.errors import UsageError

_WIDTH = 88


@click.command("explain")
@click.argument("codes", metavar="[CODE]...", nargs=-1)
@json_option
def command(codes: tuple[str, ...], as_json: bool) -> None:
    """Tell what a finding means, why it matters, and how to mend it; without a CODE, list all of them."""
    known = entries()
    chosen = [_chosen(code) for code in codes] or list(known.values())
    if as_json:
        result_json([{"code": one.code, "title": one.title, "severity": one.severity, "why": one.why, "fix": one.fix} for one in chosen])
    elif codes:
        result("\n\n".join(_text(one) for one in chosen))
    else:
        result(columns([(one.code, one.severity.value, one.title) for one in chosen], indent=0))


def _chosen(code: str) -> Entry:
    table = entries()
    wanted = code.upper()
    if wanted in table:
        return table[wanted]
    near = [name for name in table if name.startswith(wanted)]
    hint = f"codes that begin so: {', '.join(near)}" if near else "wheelkit explain    lists all codes"
    raise UsageError(f'there is no finding "{code}"', hint=hint)


def _text(one: Entry) -> str:
    why, fix = (textwrap.fill(" ".join(text.split()), _WIDTH, initial_indent="  ", subsequent_indent="  ") for text in (one.why, one.fix))
    return f"{one.code}  {one.title}  ({one.severity})\n\n{why}\n\nto mend it:\n{fix}"
