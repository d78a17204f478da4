"""The life of a session as a table."""

import pytest

from webinar.domain.access import Action
from webinar.domain.session import (
    LIFE,
    Effect,
    IllegalStep,
    SessionStatus,
    StepName,
    ensure_begins,
    step,
)

DRAFT, PUBLISHED, LIVE, ENDED, CANCELLED = SessionStatus


def test_every_step_has_a_row() -> None:
    assert list(LIFE) == list(StepName)


@pytest.mark.parametrize(
    ("status", "names"),
    [
        (DRAFT, [StepName.PUBLISH, StepName.DISCARD]),
        (
            PUBLISHED,
            [StepName.UNPUBLISH, StepName.GO_LIVE, StepName.END_UNAIRED, StepName.CANCEL],
        ),
        (LIVE, [StepName.STOP, StepName.END_FORGOTTEN]),
        (ENDED, []),
        (CANCELLED, [StepName.RESTORE]),
    ],
)
def test_what_can_happen_next(status: SessionStatus, names: list[StepName]) -> None:
    assert [name for name, row in LIFE.items() if row.frm is status] == names


@pytest.mark.parametrize("now_in", SessionStatus)
@pytest.mark.parametrize("to", SessionStatus)
def test_only_the_steps_of_the_table_are_legal(now_in: SessionStatus, to: SessionStatus) -> None:
    legal = (now_in, to) in {(row.frm, row.to) for row in LIFE.values()}

    if legal:
        assert step(now_in, to=to) is to
    else:
        with pytest.raises(IllegalStep, match=f"that is {now_in} cannot become {to}"):
            step(now_in, to=to)


def test_people_are_told_when_what_they_count_on_changes_and_only_then() -> None:
    telling = [name for name, row in LIFE.items() if Effect.REGISTRANTS_TOLD in row.sets_off]

    assert telling == [StepName.CANCEL, StepName.RESTORE]


def test_the_clock_only_ends_sessions() -> None:
    assert {row.to for row in LIFE.values() if row.action is None} == {ENDED}


def test_what_leads_on_air_and_off_is_for_broadcasters_and_the_rest_for_organisers() -> None:
    allowed = {name: row.action for name, row in LIFE.items() if row.action is not None}

    assert allowed == {
        StepName.PUBLISH: Action.PLAN_SESSIONS,
        StepName.UNPUBLISH: Action.PLAN_SESSIONS,
        StepName.GO_LIVE: Action.BROADCAST,
        StepName.STOP: Action.BROADCAST,
        StepName.CANCEL: Action.PLAN_SESSIONS,
        StepName.RESTORE: Action.PLAN_SESSIONS,
        StepName.DISCARD: Action.PLAN_SESSIONS,
    }


@pytest.mark.parametrize("now_in", SessionStatus)
@pytest.mark.parametrize("name", StepName)
def test_a_step_begins_only_in_the_state_of_its_row(now_in: SessionStatus, name: StepName) -> None:
    if now_in is LIFE[name].frm:
        ensure_begins(now_in, name)
    else:
        with pytest.raises(IllegalStep, match=f"A session that is {now_in} cannot be"):
            ensure_begins(now_in, name)
