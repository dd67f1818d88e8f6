"""Levels of distributions that need not wait for each other, and waves that a token outlives."""

from __future__ import annotations

from pathlib import Path

import pytest
from msgspec.structs import replace

from support.publishing import HERE, completed, distribution, make_scene, refused, release_of
from wheelkit.errors import IndexRefusedError
from wheelkit.project.kinds import Kind
from wheelkit.publish.credentials import Credentials, CredentialSession
from wheelkit.publish.model import ShippedFile
from wheelkit.publish.plan import make_plan
from wheelkit.publish.release import _in_upload_order
from wheelkit.publish.simple_api import Listing
from wheelkit.publish.transaction import publish
from wheelkit.publish.waves import Pace, levels

INVALID = "Invalid or non-existent authentication information."


def named(folder: Path, **needs: str) -> list[list[str]]:
    """Return the levels of distributions by what each needs; names in capitals are metas."""
    made = [
        distribution(folder, name.lower(), *text.split(), kind=Kind.META if name.isupper() else Kind.PURE)
        for name, text in needs.items()
    ]
    release = release_of(*_in_upload_order(made))
    plan = make_plan(release, HERE, {one.key: Listing(project=one.key) for one in made})
    return [[planned.distribution.key for planned in group] for group in levels(plan)]


def test_a_level_needs_only_those_before_it(tmp_path: Path) -> None:
    assert named(tmp_path, a="", b="a", c="", d="c b") == [["a", "c"], ["b"], ["d"]]
    assert named(tmp_path, a="", b="") == [["a", "b"]]
    assert named(tmp_path, a="", b="a", META="a") == [["a"], ["b", "meta"]]
    assert named(tmp_path, a="", META="a", b="meta") == [["a"], ["meta"], ["b"]]


def test_the_order_of_a_thousand_distributions_takes_no_longer_for_each(tmp_path: Path) -> None:
    """Count what is looked at instead of the time: each need once."""

    class Counting(str):
        __slots__ = ()
        compared = 0

        def __hash__(self) -> int:
            Counting.compared += 1
            return str.__hash__(self)

    core = distribution(tmp_path, "core", sdist=False)
    counts = []
    for size in (100, 1000):
        Counting.compared = 0
        family = [core, *(replace(core, key=f"d{n}", needs=(Counting("core"),)) for n in range(size))]
        assert [one.key for one in _in_upload_order(family)][:2] == ["core", "d0"]
        counts.append(Counting.compared / size)
    assert counts[0] == pytest.approx(counts[1], rel=0.05)


def files(*sizes: int) -> list[ShippedFile]:
    return [ShippedFile(path=Path(f"f{n}.whl"), sha256="", size=size) for n, size in enumerate(sizes)]


def test_a_wave_ends_before_its_token() -> None:
    pace = Pace()
    many = files(*[1000] * 250)
    assert len(pace.wave(many, float("inf"))) == 100
    assert len(pace.wave(many, 30.0)) == 14
    assert len(pace.wave(many, 1.0)) == 1
    assert len(pace.wave(files(10_000_000, 10_000_000), 30.0)) == 1
    for _ in range(6):
        pace.took(many[:10], 3.2)
    assert len(pace.wave(many, 30.0)) == 100
    pace.took(many[:10], 103.0)
    assert len(pace.wave(many, 30.0)) == 1


def test_an_upload_that_its_token_does_not_outlive_goes_on_with_another(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    scene = make_scene(tmp_path)
    tokens: list[str] = []
    monkeypatch.setattr(
        CredentialSession,
        "_find",
        lambda _session: (
            tokens.append("t")
            or Credentials(source="here", username="x", secret="t", minted=True, lifetime=20.0)  # noqa: S106 - made up
        ),
    )
    monkeypatch.setattr("wheelkit.publish.oidc.revoke_token", lambda *_: True)

    def expire(names: list[str]) -> object:
        scene.clock.sleep(25)
        return completed(*refused(names[0], 403, INVALID))

    scene.twine.replies.append(expire)  # type: ignore[arg-type]  # the same
    result = publish(scene.release, HERE, scene.session, lambda _plan: None)
    assert len(result.uploaded) == 4
    assert len(tokens) >= 2
    assert "the upload token has expired; continuing with a new one" in scene.notes.notes
    # A token that is refused before its end is not renewed, and no fix asks for a token.
    scene = make_scene(tmp_path / "other")
    scene.twine.replies.append(
        lambda names: completed(
            *refused(names[0], 403, "Invalid or non-existent authentication information.")
        )
    )
    with pytest.raises(IndexRefusedError) as caught:
        publish(scene.release, HERE, scene.session, lambda _plan: None)
    assert "run the same command again" in caught.value.hint
    assert "TWINE_PASSWORD" not in caught.value.hint
