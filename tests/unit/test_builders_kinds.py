"""Kinds that the first wheel of a distribution has shown."""

from __future__ import annotations

from pathlib import Path

import pytest
from msgspec.structs import replace

from wheelkit.builders.cache.store import Store
from wheelkit.builders.kinds import LearntKinds, WrongKindError
from wheelkit.config import Config, DistributionConfig
from wheelkit.config.model import MatrixConfig
from wheelkit.project.family import Family
from wheelkit.project.kinds import Kind
from wheelkit.project.read import Distribution


def family(kind: Kind = Kind.PURE) -> Family:
    members = [
        Distribution(name=name, version="1", kind=kind, source=Path(name)) for name in ("demo", "other")
    ]
    return Family(root=Path(), distributions=tuple(members))


def wrong(kind: Kind = Kind.NATIVE) -> WrongKindError:
    error = WrongKindError("wrong")
    error.key, error.kind = "demo", kind
    return error


def kinds_of(family: Family) -> list[Kind]:
    return [member.kind for member in family.distributions]


def test_the_kind_of_a_wheel_is_learnt_for_later_builds(tmp_path: Path) -> None:
    learnt = LearntKinds(config=Config(root=tmp_path), store=Store(folder=tmp_path, limit=10_000))
    assert kinds_of(learnt.apply(family())) == [Kind.PURE, Kind.PURE]
    assert kinds_of(learnt.learn(family(), wrong())) == [Kind.NATIVE, Kind.PURE]
    assert kinds_of(learnt.apply(family())) == [Kind.NATIVE, Kind.PURE]
    # The files show another kind than then.
    assert kinds_of(learnt.apply(family(Kind.META))) == [Kind.META, Kind.META]
    assert kinds_of(LearntKinds(config=learnt.config).apply(family())) == [Kind.PURE, Kind.PURE]


def test_a_configured_kind_and_promised_wheels_are_no_doubt(tmp_path: Path) -> None:
    store = Store(folder=tmp_path, limit=10_000)
    config = Config(root=tmp_path)
    learnt = LearntKinds(config=config, store=store)
    learnt.learn(family(), wrong())
    configured = replace(config, distribution={"demo": DistributionConfig(kind="pure")})
    assert kinds_of(LearntKinds(config=configured, store=store).apply(family())) == [Kind.PURE, Kind.PURE]
    with pytest.raises(WrongKindError):
        LearntKinds(config=configured, store=store).learn(family(), wrong())
    promising = replace(config, matrix=MatrixConfig(targets=("win_amd64",)))
    with pytest.raises(WrongKindError):
        LearntKinds(config=promising, store=store).learn(family(Kind.NATIVE), wrong(Kind.PURE))
    assert kinds_of(learnt.learn(family(Kind.NATIVE), wrong(Kind.PURE))) == [Kind.PURE, Kind.NATIVE]


def test_a_damaged_answer_is_no_answer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    learnt = LearntKinds(config=Config(root=tmp_path), store=Store(folder=tmp_path, limit=10_000))
    for answer in ("", "pure", "pure nothing", "pure native"):
        monkeypatch.setattr(Store, "load_value", lambda *_, answer=answer: answer)
        first = learnt.apply(family()).distributions[0]
        assert first.kind is (Kind.NATIVE if answer == "pure native" else Kind.PURE)
