from __future__ import annotations

from pathlib import Path

import pytest
from msgspec.structs import replace

from support.publishing import HERE, Scene, batch, cut, refused, said, scene, taken
from wheelkit.errors import CheckFailedError, IndexRefusedError, IndexUnavailableError, ToolFailedError
from wheelkit.machine.process import Completed
from wheelkit.publish.journal import Journal
from wheelkit.publish.transaction import PublishResult, WaitPolicy, publish

CORE = ["core-1.0-py3-none-any.whl", "core-1.0.tar.gz"]
CLI = ["cli-1.0-py3-none-any.whl", "cli-1.0.tar.gz"]


def go(made: Scene) -> PublishResult:
    return publish(made.release, HERE, made.desk, lambda _plan: None)


def test_wheels_before_the_sdist_and_what_is_needed_first(tmp_path: Path) -> None:
    made = scene(tmp_path)
    done = go(made)
    assert made.twine.calls == [CORE, CLI]
    assert done.uploaded == (*CORE, *CLI)


def test_a_run_with_nothing_to_do_uploads_nothing(tmp_path: Path) -> None:
    made = scene(tmp_path)
    for one in made.release.files:
        made.index.keep(one.name, one.sha256)
    assert go(made).uploaded == ()
    assert made.twine.calls == []
    assert made.index.looks == 2


def test_only_what_is_missing_is_sent(tmp_path: Path) -> None:
    made = scene(tmp_path)
    made.index.keep(CORE[0], made.twine.digests[CORE[0]])
    assert go(made).uploaded == (CORE[1], *CLI)
    assert made.twine.calls == [CORE[1:], CLI]


def test_dependents_wait_until_what_they_need_is_visible(tmp_path: Path) -> None:
    made = scene(tmp_path, lag=7.0)
    moments: list[float] = []
    made.twine.replies = [
        made.twine.take,
        lambda names: (moments.append(made.clock.now()), made.twine.take(names))[1],
    ]
    go(made)
    assert moments[0] >= 7.0


def test_what_does_not_depend_on_each_other_goes_in_one_call(tmp_path: Path) -> None:
    family = (
        ("core", ()),
        ("cli", ("core",)),
        ("web", ("core",)),
        ("store", ("core", "web")),
        ("meta", ("core", "cli", "web", "store")),
    )
    made = scene(tmp_path, *(batch(tmp_path, name, *needs) for name, needs in family), lag=7.0)
    go(made)
    called = [list(dict.fromkeys(name.partition("-")[0] for name in names)) for names in made.twine.calls]
    assert called == [["core"], ["cli", "web"], ["store"], ["meta"]]
    assert [name.endswith(".whl") for name in made.twine.calls[1]] == [True, False] * 2


def test_files_without_attestations_go_in_a_call_of_their_own(tmp_path: Path) -> None:
    one = batch(tmp_path, "core")
    signed = replace(
        one, files=(replace(one.files[0], attestations=(tmp_path / "x.attestation",)), one.files[1])
    )
    made = scene(tmp_path, signed)
    go(made)
    assert made.twine.calls == [[file.name] for file in one.files]


def test_other_bytes_stop_everything_before_the_first_upload(tmp_path: Path) -> None:
    made = scene(tmp_path)
    made.index.keep(CLI[0], "0" * 64)
    with pytest.raises(
        CheckFailedError, match=r"cli-1.0-py3-none-any.whl is on here already, with other bytes"
    ) as caught:
        go(made)
    assert made.twine.calls == []
    assert "Nothing was uploaded" in caught.value.detail
    assert caught.value.exit_code == 1


def test_a_file_that_no_manifest_knows_stops_everything(tmp_path: Path) -> None:
    made = scene(tmp_path)
    made.index.keep("core-1.0-cp311-cp311-win_amd64.whl", "0" * 64)
    with pytest.raises(CheckFailedError, match=r"1 file of this version that is in no manifest") as caught:
        go(made)
    assert "core-1.0-cp311-cp311-win_amd64.whl" in caught.value.detail
    assert made.twine.calls == []


def test_another_spelling_of_a_name_and_of_the_version_is_noticed(tmp_path: Path) -> None:
    made = scene(tmp_path)
    made.index.keep("core-1.0.0-py3-none-any.whl", "0" * 64)
    with pytest.raises(CheckFailedError, match="in no manifest"):
        go(made)


def test_files_of_other_versions_are_nobodys_business(tmp_path: Path) -> None:
    made = scene(tmp_path)
    made.index.keep("core-0.9-py3-none-any.whl", "0" * 64)
    assert len(go(made).uploaded) == 4


def test_a_lost_answer_is_looked_up_and_not_sent_again(tmp_path: Path) -> None:
    made = scene(tmp_path, lag=3.0)

    def lost(names: list[str]) -> Completed:
        made.twine.take(names[:1])
        return said(*cut(names[0]))

    made.twine.replies = [lost]
    go(made)
    assert made.twine.calls == [CORE, CORE[1:], CLI]


def test_what_never_arrived_is_sent_again_after_the_lag(tmp_path: Path) -> None:
    made = scene(tmp_path)
    made.twine.replies = [lambda names: said(*cut(names[0]))]
    go(made)
    assert made.twine.calls == [CORE, CORE, CLI]
    assert made.clock.now() >= HERE.lag * 0.5
    assert "trying again" in made.notes.notes[0]


def test_files_that_were_taken_before_the_failure_are_not_sent_again_though_they_do_not_show(
    tmp_path: Path,
) -> None:
    made = scene(tmp_path, lag=60.0)

    def half(names: list[str]) -> Completed:
        made.twine.take(names[:1])
        return said(*taken(names[0]), *refused(names[1], 503, "Service Unavailable"))

    made.twine.replies = [half]
    go(made)
    assert made.twine.calls == [CORE, CORE[1:], CLI]


def test_a_failure_that_stays_gives_up_and_says_so(tmp_path: Path) -> None:
    made = scene(tmp_path, patience=WaitPolicy(attempts=3))
    made.twine.replies = [lambda names: said(*refused(names[0], 503, "Service Unavailable"))] * 3
    with pytest.raises(
        IndexUnavailableError, match=r"did not take core-1.0-py3-none-any.whl in 3 attempts"
    ) as caught:
        go(made)
    assert "no file of the release is on here; another run goes on from here" in caught.value.detail
    assert made.twine.calls == [CORE] * 3


def test_a_refusal_is_not_tried_again(tmp_path: Path) -> None:
    made = scene(tmp_path)
    made.twine.replies = [
        made.twine.take,
        lambda names: said(
            *taken(names[0]),
            *refused(names[1], 400, "Bad Request", "Only one sdist may be uploaded per release."),
        ),
    ]
    with pytest.raises(IndexRefusedError, match=r"here refuses cli-1.0.tar.gz$") as caught:
        go(made)
    assert caught.value.detail.splitlines() == [
        "the index has another sdist of this version",
        "400 Only one sdist may be uploaded per release.",
        "3 of 4 files of the release are on here; another run goes on from here",
    ]
    assert len(made.twine.calls) == 2


def test_a_failure_of_twine_itself_is_told_with_its_words(tmp_path: Path) -> None:
    made = scene(tmp_path)
    made.twine.replies = [
        lambda _names: said("zipfile.BadZipFile: File is not a zip file", "BadThingError: it broke")
    ]
    with pytest.raises(
        ToolFailedError,
        match=r"twine failed while uploading core-1.0-py3-none-any.whl: BadThingError: it broke",
    ):
        go(made)


def test_an_index_that_never_shows_what_it_took(tmp_path: Path) -> None:
    made = scene(tmp_path, lag=1e6)
    with pytest.raises(
        IndexUnavailableError,
        match=r"took core-1.0-py3-none-any.whl, core-1.0.tar.gz and does not show them after 15 minutes",
    ):
        go(made)
    assert made.twine.calls == [CORE]
    assert made.clock.now() == pytest.approx(900.0, abs=15.0)


def test_an_index_that_stumbles_while_it_is_waited_for(tmp_path: Path) -> None:
    made = scene(tmp_path, lag=2.0)

    def then_unreachable(names: list[str]) -> Completed:
        made.index.unreachable = 2
        return made.twine.take(names)

    made.twine.replies = [then_unreachable]
    assert len(go(made).uploaded) == 4


def test_an_index_that_shows_other_bytes_after_the_upload(tmp_path: Path) -> None:
    made = scene(tmp_path)

    def swapped(names: list[str]) -> Completed:
        done = made.twine.take(names)
        made.index.keep(names[0], "f" * 64)
        return done

    made.twine.replies = [swapped]
    with pytest.raises(CheckFailedError, match="with other bytes than were sent"):
        go(made)
    assert made.twine.calls == [CORE]


def test_a_killed_run_leaves_a_hint_and_the_next_one_waits_for_what_may_be_on_the_way(tmp_path: Path) -> None:
    made = scene(tmp_path)
    made.desk.journal.sending(CORE)
    # The upload that was under way when the run was killed becomes visible only now.
    made.index.lag = 4.0
    made.twine.take(CORE)
    made.index.lag = 0.0
    go(made)
    assert made.twine.calls == [CLI]
    assert made.notes.steps[0] == "looking for 2 files that may be on the way"


def test_a_hint_that_leads_nowhere_costs_the_lag_and_nothing_else(tmp_path: Path) -> None:
    made = scene(tmp_path)
    made.desk.journal.sending(CORE)
    go(made)
    assert made.twine.calls == [CORE, CLI]
    assert made.clock.now() <= HERE.lag


def test_an_index_that_shows_a_file_and_then_not(tmp_path: Path) -> None:
    made = scene(tmp_path)
    made.desk.journal.saw(CORE[:1])
    made.index.lag = 3.0
    made.twine.take(CORE[:1])
    made.index.lag = 0.0
    go(made)
    assert made.twine.calls == [CORE[1:], CLI]


def test_a_journal_of_other_bytes_hints_at_nothing(tmp_path: Path) -> None:
    made = scene(tmp_path)
    made.desk.journal.sending(CORE)
    other = scene(tmp_path, batch(tmp_path / "other", "core", sdist=False))
    assert other.desk.journal.doubtful == frozenset()
    assert Journal(tmp_path / "journal", made.release).doubtful == frozenset(CORE)


@pytest.mark.parametrize("text", ["", "{", "[]", '{"schema": 9}', "\x00"])
def test_a_damaged_journal_hints_at_nothing(tmp_path: Path, text: str) -> None:
    made = scene(tmp_path)
    (tmp_path / "journal.json").write_text(text)
    assert Journal(tmp_path / "journal", made.release).doubtful == frozenset()


def test_a_file_that_changed_after_the_proof_is_not_sent(tmp_path: Path) -> None:
    made = scene(tmp_path)
    made.release.files[2].path.write_text("changed")
    with pytest.raises(CheckFailedError, match=r"cli-1.0-py3-none-any.whl changed on the disk"):
        go(made)
    assert made.twine.calls == [CORE]


def test_credentials_are_fetched_only_when_something_is_sent(tmp_path: Path) -> None:
    made = scene(tmp_path)
    go(made)
    assert made.twine.commands[0].env["TWINE_PASSWORD"] == "a-secret"  # noqa: S105 - made up
    assert "a-secret" not in " ".join(made.twine.commands[0].argv)
    assert "a-secret" not in repr(made.desk.purse.credentials())
