"""The event by which a workflow makes a release, and what its expressions then know of it."""

from __future__ import annotations

import re
from typing import Any

from msgspec import Struct

from wheelkit.project.ci.expressions import OpenContext, matches_any

# How likely an event makes a release; a workflow runs by its likeliest.
RELEASE, BRANCH, SCHEDULE, PULL_REQUEST = 3, 2, 1, 0
_TAG = "v1.0.0"


class Event(Struct, frozen=True, kw_only=True):
    """An event: its name in expressions, the git reference, and how likely it makes a release."""

    name: str
    ref: str
    rank: int
    inputs: dict[str, Any] = {}

    def context(self) -> OpenContext:
        """Return what is known as ``github``; the rest is open."""
        kind, _, name = self.ref.removeprefix("refs/").partition("/")
        event = OpenContext(
            ref=self.ref,
            inputs=self.inputs if self.name == "workflow_dispatch" else None,
            pull_request=None,
            action="published" if self.name == "release" else None,
        )
        if self.name == "pull_request":
            event.pop("pull_request")
        return OpenContext(
            event_name=self.name,
            ref=self.ref,
            ref_name=name,
            ref_type="tag" if kind == "tags" else "branch",
            head_ref="",
            base_ref="",
            event=event,
        )


def release_event(triggers: object, tag: str) -> Event | None:
    """Return the event of a workflow's ``on`` that makes a release, None for one that others call.

    ``tag`` is the project's newest tag, or empty.
    """
    table = _table(triggers)
    events = [event for name, settings in table.items() if (event := _event(name, settings, tag))]
    return max(events, key=lambda event: event.rank, default=None)


def _table(triggers: object) -> dict[str, Any]:
    if isinstance(triggers, str):
        return {triggers: None}
    if isinstance(triggers, list):
        return {str(name): None for name in triggers}
    return {str(name): settings for name, settings in triggers.items()} if isinstance(triggers, dict) else {}


def _event(name: str, settings: Any, tag: str) -> Event | None:  # noqa: ANN401 - any value of YAML
    table = settings if isinstance(settings, dict) else {}
    match name:
        case "push":
            return _push(table, tag)
        case "release" | "create":
            return Event(name=name, ref=f"refs/tags/{tag or _TAG}", rank=RELEASE)
        case "workflow_dispatch":
            return Event(name=name, ref="refs/heads/main", rank=BRANCH, inputs=_defaults(table))
        case "schedule" | "workflow_run" | "repository_dispatch":
            return Event(name=name, ref="refs/heads/main", rank=SCHEDULE)
        case "pull_request" | "pull_request_target" | "merge_group":
            return Event(name=name, ref="refs/pull/1/merge", rank=PULL_REQUEST)
    return None


def _push(table: dict[str, Any], tag: str) -> Event:
    branches, tags = _texts(table.get("branches")), _texts(table.get("tags"))
    if tags or not ("branches" in table or "branches-ignore" in table):
        return Event(name="push", ref=f"refs/tags/{_fitting(tags, tag)}", rank=RELEASE)
    plain = [name for name in branches if re.fullmatch(r"[\w./-]+", name)]
    branch = next((name for name in ("main", "master") if name in plain), plain[0] if plain else "main")
    return Event(name="push", ref=f"refs/heads/{branch}", rank=BRANCH)


def _fitting(patterns: list[str], tag: str) -> str:
    """Return a tag that matches the filter of a workflow: the project's own, if it does."""
    for candidate in (tag, _TAG, _TAG[1:]):
        if candidate and (not patterns or matches_any(candidate, patterns)):
            return candidate
    return re.sub(r"[*?\[].*", "1.0.0", patterns[0])


def _defaults(table: dict[str, Any]) -> dict[str, Any]:
    return input_defaults(table.get("inputs"))


def input_defaults(inputs: object) -> dict[str, Any]:
    """Return the values of the inputs of a workflow or an action that nobody gives."""
    rows = inputs.items() if isinstance(inputs, dict) else ()
    kinds = {"boolean": False}
    values = ((name, row if isinstance(row, dict) else {}) for name, row in rows)
    return {str(name): row.get("default", kinds.get(str(row.get("type")), "")) for name, row in values}


def _texts(value: object) -> list[str]:
    if isinstance(value, str):
        return [value]
    return [str(item) for item in value] if isinstance(value, list) else []
