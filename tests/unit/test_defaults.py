"""What a value is that nobody gives: empty, zero, false or absent, except for listed fields and sizes.

Most fields are left out in most places, so a default that means something is a decision: write it here, too.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Iterator
from typing import Any

import msgspec

import wheelkit

# Fields that are not empty by default, as module.Class.field.
MEANT: dict[str, object] = {
    "builders.units.Selection.native": True,
    "builders.units.Selection.pure": True,
    "builders.units.Selection.sdist": True,
    "config.model.CiConfig.production": "pypi",
    "config.model.CiConfig.staging": "testpypi",
    "config.model.Config.distributions": (".",),
    "config.model.IndexConfig.rules": "none",
    "config.model.PublishConfig.attestations": True,
    "config.model.VersionConfig.branches": ("main", "master", "release/*", "release-*"),
    "config.readers.Text.expected": "one line of text",
    "config.readers.Text.pattern": r"^(?=.*\S)[^\x00-\x1f\x7f-\x9f\u2028\u2029]+$",
    "doctor.examine.DoctorContext.online": True,
    "init.tag_template.TagScheme.template": "v{version}",
    "init.today.Today.complete": True,
    "machine.emulators.Runtime.slowness": 1,
    "machine.facts.Machine.libc_version": (0, 0),
    "machine.time_limits.TimeLimit.bytes_per_second": float("inf"),
    "plan.cross.CrossTarget.oldest": (0, 0),
    "plan.options.Selection.archs": "auto",
    "plan.options.Selection.build": "*",
    "project.backends.VersionSource.form": 1,
    "plan.cross.CrossTarget.endian": "little",
    "project.read.Distribution.stated": True,
    "project.requirements.StatedRequirement.published": True,
    "publish.credentials.Credentials.lifetime": float("inf"),
    "publish.index.Index.lag": 15.0,
    "publish.plan.PublishPlan.is_json": True,
    "publish.simple_api.Listing.is_json": True,
    "publish.simple_api.Listing.known": True,
    "publish.verify_published.PublishedRequest.fail_on": "error",
    "smoke.probe.ProbeFailure.kind": "raised",
    "smoke.run.SmokeRequest.timeout": 60.0,
    "verification.checks.mobile.MobilePlatform.version": (0, 0),
    "verification.model.Report.fail_on": "error",
    "verification.model.Report.whole": True,
    "verification.release.Dist.whole": True,
    "verification.report.columns.Column.gap": "   ",
    "verification.report.table._Layout.brief": True,
    "verification.report.text.Screen.encoding": "utf-8",
    "verification.report.text.Screen.fixes": True,
    "versions.model.FamilyRequirement.editable": True,
    "versions.model.FamilyRequirement.published": True,
    "versions.model.VersionLocation.form": "python",
    "versions.tags.TagRequest.ask_remote": True,
    "wheel.model.Wheel.readable": True,
    "workflows.jobs.NativeJob.pythons": ("3.13",),
    "workflows.jobs.NativeJob.smoked": True,
}
# Modules that start something, or that only other programs import.
LEFT_ALONE = ("wheelkit.__main__", "wheelkit.repair.foreign")


def structs() -> Iterator[tuple[str, type[msgspec.Struct]]]:
    for module in pkgutil.walk_packages(wheelkit.__path__, "wheelkit."):
        if module.name not in LEFT_ALONE:
            for name, found in vars(importlib.import_module(module.name)).items():
                is_struct = isinstance(found, type) and issubclass(found, msgspec.Struct)
                if is_struct and found.__module__ == module.name:
                    yield f"{module.name.removeprefix('wheelkit.')}.{name}", found


def defaults(kind: type[msgspec.Struct]) -> dict[str, Any]:
    """Return the values of fields with a default; factories make empty containers."""
    values = kind.__struct_defaults__
    named = zip(kind.__struct_fields__[len(kind.__struct_fields__) - len(values) :], values, strict=True)
    return {name: value for name, value in named if value is not msgspec.NODEFAULT}


def is_empty(value: Any) -> bool:
    if isinstance(value, msgspec.Struct):
        return all(is_empty(getattr(value, name)) for name in value.__struct_fields__)
    return not value or callable(value) or type(value).__name__ == "Factory"


def test_defaults_are_empty_where_nothing_else_is_meant() -> None:
    found = {
        f"{name}.{field}": getattr(value, "value", value)
        for name, kind in structs()
        for field, value in defaults(kind).items()
        if not is_empty(value)
    }
    sizes = {name for name, value in found.items() if type(value) in {int, float}}
    assert {name: value for name, value in found.items() if name in MEANT or name not in sizes} == MEANT


def test_there_are_many_of_them() -> None:
    assert sum(len(defaults(kind)) for _, kind in structs()) > 600
