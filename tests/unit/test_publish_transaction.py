from __future__ import annotations

from pathlib import Path

import pytest
from msgspec.structs import replace

from support.publishing import (
    HERE,
    Scene,
    accepted,
    completed,
    disconnected,
    distribution,
    make_scene,
    refused,
)
from wheelkit.errors import (
    CheckFailedError,
    IndexRefusedError,
    IndexUnavailableError,
    InterruptedByUserError,
    ToolFailedError,
)
from wheelkit.machine.process import Completed
from wheelkit.publish.transaction import PublishResult, publish

CORE = ["core-1.0-py3-none-any.whl", "core-1.0.tar.gz"]
CLI = ["cli-1.0-py3-none-any.whl", "cli-1.0.tar.gz"]


def run(scene: Scene) -> PublishResult:
    return publish(scene.release, HERE, scene.session, lambda _plan: None)


def test_wheels_before_sdists_and_dependencies_first(tmp_path: Path) -> None:
    scene = make_scene(tmp_path)
    done = run(scene)
    assert scene.twine.calls == [CORE, CLI]
    assert done.uploaded == (*CORE, *CLI)


def test_a_run_with_nothing_to_do_uploads_nothing(tmp_path: Path) -> None:
    scene = make_scene(tmp_path)
    for one in scene.release.files:
        scene.index.keep(one.name, one.sha256)
    assert run(scene).uploaded == ()
    assert scene.twine.calls == []
    assert scene.index.looks == 2


def test_only_missing_files_are_sent(tmp_path: Path) -> None:
    scene = make_scene(tmp_path)
    scene.index.keep(CORE[0], scene.twine.digests[CORE[0]])
    assert run(scene).uploaded == (CORE[1], *CLI)
    assert scene.twine.calls == [CORE[1:], CLI]


def test_dependents_wait_until_their_dependencies_are_visible(tmp_path: Path) -> None:
    scene = make_scene(tmp_path, lag=7.0)
    moments: list[float] = []
    scene.twine.replies = [
        scene.twine.take,
        lambda names: (moments.append(scene.clock.now()), scene.twine.take(names))[1],
    ]
    run(scene)
    assert moments[0] >= 7.0


def test_a_run_ends_when_installers_find_every_file(tmp_path: Path) -> None:
    scene = make_scene(tmp_path, lag=7.0)
    assert run(scene).uploaded == (*CORE, *CLI)
    assert {name for name, (_, moment) in scene.index.shown.items() if moment > scene.clock.now()} == set()
    slept = len(scene.clock.slept)
    assert run(scene).uploaded == ()
    assert len(scene.clock.slept) == slept


def test_independent_distributions_share_a_run_of_twine(tmp_path: Path) -> None:
    family = (
        ("core", ()),
        ("cli", ("core",)),
        ("web", ("core",)),
        ("store", ("core", "web")),
        ("meta", ("core", "cli", "web", "store")),
    )
    scene = make_scene(tmp_path, *(distribution(tmp_path, name, *needs) for name, needs in family), lag=7.0)
    run(scene)
    called = [list(dict.fromkeys(name.partition("-")[0] for name in names)) for names in scene.twine.calls]
    assert called == [["core"], ["cli", "web"], ["store"], ["meta"]]
    assert [name.endswith(".whl") for name in scene.twine.calls[1]] == [True, False] * 2


def test_files_without_attestations_have_a_run_of_their_own(tmp_path: Path) -> None:
    one = distribution(tmp_path, "core")
    signed = replace(
        one, files=(replace(one.files[0], attestations=(tmp_path / "x.attestation",)), one.files[1])
    )
    scene = make_scene(tmp_path, signed)
    run(scene)
    assert scene.twine.calls == [[file.name] for file in one.files]


def test_other_bytes_are_refused_before_the_first_upload(tmp_path: Path) -> None:
    scene = make_scene(tmp_path)
    scene.index.keep(CLI[0], "0" * 64)
    with pytest.raises(
        CheckFailedError, match=r"cli-1.0-py3-none-any.whl is on here already, with other bytes"
    ) as caught:
        run(scene)
    assert scene.twine.calls == []
    assert "Nothing was uploaded to here" in caught.value.detail
    assert caught.value.exit_code == 1


def test_an_unknown_file_is_refused_before_the_first_upload(tmp_path: Path) -> None:
    scene = make_scene(tmp_path)
    scene.index.keep("core-1.0-cp311-cp311-win_amd64.whl", "0" * 64)
    with pytest.raises(CheckFailedError, match=r"1 file of this version that is in no manifest") as caught:
        run(scene)
    assert "core-1.0-cp311-cp311-win_amd64.whl" in caught.value.detail
    assert scene.twine.calls == []


def test_an_unknown_file_with_another_spelling_of_the_version(tmp_path: Path) -> None:
    scene = make_scene(tmp_path)
    scene.index.keep("core-1.0.0-py3-none-any.whl", "0" * 64)
    with pytest.raises(CheckFailedError, match="in no manifest"):
        run(scene)


def test_files_of_other_versions_are_ignored(tmp_path: Path) -> None:
    scene = make_scene(tmp_path)
    scene.index.keep("core-0.9-py3-none-any.whl", "0" * 64)
    assert len(run(scene).uploaded) == 4


def test_a_file_whose_response_was_lost_is_not_sent_again(tmp_path: Path) -> None:
    scene = make_scene(tmp_path, lag=3.0)

    def lost(names: list[str]) -> Completed:
        scene.twine.take(names[:1])
        return completed(*disconnected(names[0]))

    scene.twine.replies = [lost]
    run(scene)
    assert scene.twine.calls == [CORE, CORE[1:], CLI]


def test_a_file_that_never_arrived_is_sent_again_after_the_lag(tmp_path: Path) -> None:
    scene = make_scene(tmp_path)
    scene.twine.replies = [lambda names: completed(*disconnected(names[0]))]
    run(scene)
    assert scene.twine.calls == [CORE, CORE, CLI]
    assert scene.clock.now() >= HERE.lag * 0.5
    assert "trying again" in scene.notes.notes[0]


def test_accepted_files_are_not_sent_again_before_they_are_visible(
    tmp_path: Path,
) -> None:
    scene = make_scene(tmp_path, lag=60.0)

    def half(names: list[str]) -> Completed:
        scene.twine.take(names[:1])
        return completed(*accepted(names[0]), *refused(names[1], 503, "Service Unavailable"))

    scene.twine.replies = [half]
    run(scene)
    assert scene.twine.calls == [CORE, CORE[1:], CLI]


BROKEN = "requests.exceptions.ConnectionError: Connection aborted."


@pytest.mark.parametrize(
    ("lines", "taken", "calls"),
    [
        # Without a name and without a reply, each file may have been sent.
        ((BROKEN,), 1, [CORE, CORE[1:], CLI]),
        # A reply that says neither yes nor no: the file may be there, and so may the next.
        ((*refused(CORE[0], 201, "Created")[:3], *disconnected(CORE[1])), 2, [CORE, CLI]),
    ],
)
def test_every_file_that_may_have_been_sent_is_waited_for(
    tmp_path: Path, lines: tuple[str, ...], taken: int, calls: list[list[str]]
) -> None:
    scene = make_scene(tmp_path, lag=3.0)

    def lost(names: list[str]) -> Completed:
        scene.twine.take(names[:taken])
        return completed(*lines)

    scene.twine.replies = [lost]
    run(scene)
    assert scene.twine.calls == calls


def test_a_file_that_was_not_begun_is_not_waited_for(tmp_path: Path) -> None:
    scene = make_scene(tmp_path)

    def half(names: list[str]) -> Completed:
        scene.twine.take(names[:1])
        return completed(*accepted(names[0]), BROKEN)

    scene.twine.replies = [half]
    run(scene)
    assert scene.twine.calls == [CORE, CORE[1:], CLI]
    assert len(scene.clock.slept) == 1  # before the second attempt


def test_a_lasting_failure_ends_the_run(tmp_path: Path) -> None:
    scene = make_scene(tmp_path)
    scene.twine.replies = [lambda names: completed(*refused(names[0], 503, "Service Unavailable"))] * 6
    with pytest.raises(
        IndexUnavailableError, match=r"did not accept core-1.0-py3-none-any.whl in 6 attempts"
    ) as caught:
        run(scene)
    assert "no file of this release is on here" in caught.value.detail
    assert scene.twine.calls == [CORE] * 6


def test_a_refusal_is_not_retried(tmp_path: Path) -> None:
    scene = make_scene(tmp_path)
    scene.twine.replies = [
        scene.twine.take,
        lambda names: completed(
            *accepted(names[0]),
            *refused(names[1], 400, "Bad Request", "Only one sdist may be uploaded per release."),
        ),
    ]
    with pytest.raises(IndexRefusedError, match=r"here refused cli-1.0.tar.gz$") as caught:
        run(scene)
    assert caught.value.detail.splitlines() == [
        "the index has another sdist of this version",
        "400 Only one sdist may be uploaded per release.",
        "3 of 4 files of this release are on here",
    ]
    assert len(scene.twine.calls) == 2


def test_a_failure_of_twine_itself_is_shown(tmp_path: Path) -> None:
    scene = make_scene(tmp_path)
    scene.twine.replies = [
        lambda _names: completed("zipfile.BadZipFile: File is not a zip file", "BadThingError: it broke")
    ]
    with pytest.raises(
        ToolFailedError,
        match=r"twine failed to upload core-1.0-py3-none-any.whl: BadThingError: it broke",
    ):
        run(scene)


def test_an_index_that_never_shows_an_accepted_file(tmp_path: Path) -> None:
    scene = make_scene(tmp_path, lag=1e6)
    with pytest.raises(
        IndexUnavailableError,
        match=r"accepted core-1.0-py3-none-any.whl, core-1.0.tar.gz, but does not show them after 15 minutes",
    ):
        run(scene)
    assert scene.twine.calls == [CORE]
    assert scene.clock.now() == pytest.approx(900.0, abs=15.0)


def test_an_index_that_fails_while_it_is_waited_for(tmp_path: Path) -> None:
    scene = make_scene(tmp_path, lag=2.0)

    def then_unreachable(names: list[str]) -> Completed:
        scene.index.unreachable = 2
        return scene.twine.take(names)

    scene.twine.replies = [then_unreachable]
    assert len(run(scene).uploaded) == 4


def test_an_index_that_shows_other_bytes_after_the_upload(tmp_path: Path) -> None:
    scene = make_scene(tmp_path)

    def swapped(names: list[str]) -> Completed:
        done = scene.twine.take(names)
        scene.index.keep(names[0], "f" * 64)
        return done

    scene.twine.replies = [swapped]
    with pytest.raises(CheckFailedError, match="with other bytes than were sent"):
        run(scene)
    assert scene.twine.calls == [CORE]


def test_after_a_killed_run_the_next_one_waits_for_its_files(tmp_path: Path) -> None:
    scene = make_scene(tmp_path)
    scene.journal.sending(CORE)
    # The upload that was under way when the run was killed becomes visible only now.
    scene.index.lag = 4.0
    scene.twine.take(CORE)
    scene.index.lag = 0.0
    run(scene)
    assert scene.twine.calls == [CLI]
    assert scene.notes.steps[0] == "looking for 2 files that an earlier run sent"


def test_files_of_a_killed_run_that_never_appear_cost_only_the_lag(tmp_path: Path) -> None:
    scene = make_scene(tmp_path)
    scene.journal.sending(CORE)
    run(scene)
    assert scene.twine.calls == [CORE, CLI]
    assert scene.clock.now() <= HERE.lag


def test_an_index_that_hides_a_file_again(tmp_path: Path) -> None:
    scene = make_scene(tmp_path)
    scene.journal.seen(CORE[:1])
    scene.index.lag = 3.0
    scene.twine.take(CORE[:1])
    scene.index.lag = 0.0
    run(scene)
    assert scene.twine.calls == [CORE[1:], CLI]


def test_a_journal_of_other_bytes_is_ignored(tmp_path: Path) -> None:
    scene = make_scene(tmp_path)
    scene.journal.sending(CORE)
    other = make_scene(
        tmp_path,
        distribution(tmp_path / "other", "core", sdist=False),
        distribution(tmp_path / "other", "cli", "core"),
    )
    assert other.journal.pending == frozenset()
    assert scene.journal.pending == frozenset(CORE)


@pytest.mark.parametrize("text", ["", "{", "[]", '{"schema": 9}', "\x00"])
def test_a_damaged_journal_is_ignored(tmp_path: Path, text: str) -> None:
    scene = make_scene(tmp_path)
    scene.journal.sending(CORE)
    (path,) = (tmp_path / "state").glob("*.json")
    path.write_text(text)
    assert scene.journal.pending == frozenset()


def test_a_file_that_changed_after_verification_is_not_sent(tmp_path: Path) -> None:
    scene = make_scene(tmp_path)
    scene.release.files[2].path.write_text("changed")
    with pytest.raises(CheckFailedError, match=r"cli-1.0-py3-none-any.whl changed in .* after verification"):
        run(scene)
    assert scene.twine.calls == [CORE]


def test_credentials_reach_twine_by_the_environment_only(tmp_path: Path) -> None:
    scene = make_scene(tmp_path)
    run(scene)
    assert scene.twine.commands[0].env["TWINE_PASSWORD"] == "a-secret"  # noqa: S105 - scene up
    assert "a-secret" not in " ".join(scene.twine.commands[0].argv)
    assert "a-secret" not in repr(scene.session.credentials(HERE).get())


def interrupt(names: list[str]) -> Completed:
    raise InterruptedByUserError(f"interrupted at {names[0]}")


def test_an_interruption_says_what_is_on_the_index_and_what_may_be(tmp_path: Path) -> None:
    scene = make_scene(tmp_path)
    scene.twine.replies = [interrupt]
    with pytest.raises(InterruptedByUserError) as caught:
        run(scene)
    nothing = "no file of this release is on here"
    assert caught.value.detail == f"{nothing}; 2 were being sent and may be there too"
    scene.index.keep(CORE[0], scene.twine.digests[CORE[0]])  # twine had sent the first of them
    scene.twine.replies = [scene.twine.take, interrupt]
    with pytest.raises(InterruptedByUserError) as caught:
        run(scene)
    assert (
        caught.value.detail
        == "2 of 4 files of this release are on here; 2 were being sent and may be there too"
    )
    assert run(scene).uploaded == tuple(CLI)


def test_an_interruption_while_files_appear_counts_those_that_were_accepted(tmp_path: Path) -> None:
    scene = make_scene(tmp_path, lag=5.0)

    def wait(_seconds: float) -> None:
        raise InterruptedByUserError("interrupted")

    scene.clock.sleep = wait  # type: ignore[method-assign] # waiting for the index
    with pytest.raises(InterruptedByUserError) as caught:
        run(scene)
    assert caught.value.detail == "2 of 4 files of this release are on here"


def test_an_interruption_before_the_plan_knows_nothing(tmp_path: Path) -> None:
    scene = make_scene(tmp_path)

    def plan(_plan: object) -> None:
        raise InterruptedByUserError("interrupted")

    with pytest.raises(InterruptedByUserError) as caught:
        publish(scene.release, HERE, scene.session, plan)
    assert caught.value.detail == ""
