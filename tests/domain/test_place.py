"""A person's place in a session: the steps, and the one that is next."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from webinar.domain.place import PlaceFacts, Step, StepKind, StepState, next_step, steps_for
from webinar.domain.recording import RecordingWindow
from webinar.domain.session import SessionStatus

STARTS = datetime(2026, 11, 26, 17, 15, tzinfo=UTC)
ENDS = datetime(2026, 11, 26, 18, 0, tzinfo=UTC)
WINDOW = RecordingWindow(ENDS, datetime(2027, 5, 26, 17, 0, tzinfo=UTC))
DAY_BEFORE = STARTS - timedelta(days=1)
DAY_AFTER = ENDS + timedelta(days=1)

STRANGER = PlaceFacts(
    status=SessionStatus.PUBLISHED,
    starts_at=STARTS,
    ends_at=ENDS,
    evaluation_wanted=True,
    evaluation_due_at=ENDS + timedelta(days=28),
    test_wanted=True,
    test_due_at=ENDS + timedelta(days=28),
    credit_offered=True,
)
REGISTERED = replace(STRANGER, registered=True)
ENDED = replace(REGISTERED, status=SessionStatus.ENDED, window=WINDOW)
WAS_THERE = replace(ENDED, seen_live=True)
WATCHED = replace(ENDED, seen_recording=True)


@pytest.mark.parametrize(
    ("facts", "now", "expected"),
    [
        pytest.param(STRANGER, DAY_BEFORE, StepKind.REGISTER, id="a stranger registers"),
        pytest.param(STRANGER, STARTS, StepKind.REGISTER, id="also while it runs"),
        pytest.param(
            replace(STRANGER, status=SessionStatus.ENDED, window=WINDOW),
            DAY_AFTER,
            StepKind.REGISTER,
            id="also for the recording",
        ),
        pytest.param(REGISTERED, DAY_BEFORE, StepKind.CALENDAR, id="then the calendar"),
        pytest.param(
            REGISTERED,
            STARTS - timedelta(minutes=15, seconds=1),
            StepKind.CALENDAR,
            id="the door is still closed",
        ),
        pytest.param(
            REGISTERED, STARTS - timedelta(minutes=15), StepKind.JOIN, id="the door opens"
        ),
        pytest.param(REGISTERED, STARTS, StepKind.JOIN, id="it has begun"),
        pytest.param(
            replace(REGISTERED, status=SessionStatus.LIVE),
            STARTS - timedelta(minutes=40),
            StepKind.JOIN,
            id="on air early",
        ),
        pytest.param(
            replace(REGISTERED, status=SessionStatus.LIVE, seen_live=True),
            ENDS + timedelta(minutes=20),
            StepKind.JOIN,
            id="it overruns",
        ),
        pytest.param(ENDED, DAY_AFTER, StepKind.WATCH, id="who missed it watches"),
        pytest.param(
            replace(WAS_THERE, watching_earns=True),
            DAY_AFTER,
            StepKind.WATCH,
            id="who was there too briefly watches",
        ),
        pytest.param(WAS_THERE, DAY_AFTER, StepKind.EVALUATE, id="who was there evaluates"),
        pytest.param(
            replace(WAS_THERE, status=SessionStatus.PUBLISHED, window=None),
            ENDS,
            StepKind.EVALUATE,
            id="although nobody has pressed stop",
        ),
        pytest.param(
            replace(WAS_THERE, evaluation_given=True), DAY_AFTER, StepKind.TEST, id="then the test"
        ),
        pytest.param(
            replace(WAS_THERE, evaluation_given=True, test_passed=True),
            DAY_AFTER,
            None,
            id="then the decision is awaited",
        ),
        pytest.param(
            replace(WAS_THERE, evaluation_given=True, test_passed=True, has_certificate=True),
            DAY_AFTER,
            StepKind.CERTIFICATE,
            id="then the certificate",
        ),
        pytest.param(WATCHED, DAY_AFTER, StepKind.EVALUATE, id="who watched evaluates too"),
        pytest.param(ENDED, WINDOW.closes_at, None, id="the window is closed"),
        pytest.param(
            replace(STRANGER, status=SessionStatus.ENDED, window=WINDOW),
            WINDOW.closes_at,
            None,
            id="nothing left to register for",
        ),
        pytest.param(
            replace(WAS_THERE, evaluation_given=False),
            ENDS + timedelta(days=28),
            None,
            id="the deadlines have passed",
        ),
    ],
)
def test_one_step_is_next(facts: PlaceFacts, now: datetime, expected: StepKind | None) -> None:
    steps = steps_for(facts, now=now)

    assert [step.kind for step in steps if step.state is StepState.NEXT] == (
        [expected] if expected else []
    )
    found = next_step(steps)
    assert (found.kind if found else None) == expected


def test_before_the_session_every_step_ahead_is_shown_in_order() -> None:
    assert steps_for(REGISTERED, now=DAY_BEFORE) == [
        Step(kind=StepKind.REGISTER, state=StepState.DONE),
        Step(kind=StepKind.CALENDAR, state=StepState.NEXT),
        Step(kind=StepKind.JOIN, state=StepState.LATER, opens_at=STARTS - timedelta(minutes=15)),
        Step(
            kind=StepKind.EVALUATE,
            state=StepState.LATER,
            due_at=REGISTERED.evaluation_due_at,
        ),
        Step(kind=StepKind.TEST, state=StepState.LATER, due_at=REGISTERED.test_due_at),
        Step(kind=StepKind.CERTIFICATE, state=StepState.LATER),
    ]


def test_who_was_there_may_watch_again_but_is_not_asked_to() -> None:
    watch = next(s for s in steps_for(WAS_THERE, now=DAY_AFTER) if s.kind is StepKind.WATCH)

    assert watch == Step(kind=StepKind.WATCH, state=StepState.LATER, due_at=WINDOW.closes_at)


def test_who_watched_is_not_told_that_they_missed_the_evening() -> None:
    kinds = [step.kind for step in steps_for(WATCHED, now=DAY_AFTER)]

    assert kinds == [
        StepKind.REGISTER,
        StepKind.WATCH,
        StepKind.EVALUATE,
        StepKind.TEST,
        StepKind.CERTIFICATE,
    ]


def test_a_recording_that_is_not_ready_comes_later() -> None:
    watch = steps_for(replace(ENDED, window=None), now=DAY_AFTER)[2]

    assert watch == Step(kind=StepKind.WATCH, state=StepState.LATER)


def test_a_passed_deadline_is_missed_not_hidden() -> None:
    steps = steps_for(WAS_THERE, now=ENDS + timedelta(days=28))

    assert [step.state for step in steps if step.kind in (StepKind.EVALUATE, StepKind.TEST)] == [
        StepState.MISSED,
        StepState.MISSED,
    ]


def test_a_certificate_is_missed_once_the_credit_clock_has_run_out() -> None:
    facts = replace(ENDED, credit_until=DAY_AFTER)

    assert steps_for(facts, now=DAY_AFTER)[-1].state is StepState.MISSED
    assert steps_for(facts, now=DAY_AFTER - timedelta(seconds=1))[-1].state is StepState.LATER


def test_a_session_without_credit_asks_for_nothing_after_watching() -> None:
    plain = PlaceFacts(
        status=SessionStatus.ENDED, starts_at=STARTS, ends_at=ENDS, window=WINDOW, registered=True
    )

    assert [step.kind for step in steps_for(plain, now=DAY_AFTER)] == [
        StepKind.REGISTER,
        StepKind.JOIN,
        StepKind.WATCH,
    ]


@pytest.mark.parametrize("status", [SessionStatus.CANCELLED, SessionStatus.DRAFT])
def test_what_does_not_take_place_has_no_steps(status: SessionStatus) -> None:
    assert steps_for(replace(REGISTERED, status=status), now=DAY_BEFORE) == []
