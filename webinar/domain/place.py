"""A person's place in a session: what is done, what comes next, what is too late."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from webinar.domain.recording import RecordingWindow
from webinar.domain.session import SessionStatus

JOIN_OPENS_BEFORE = timedelta(minutes=15)


class StepKind(StrEnum):
    """What a person does with a session, in the order in which it is done."""

    REGISTER = "register"
    CALENDAR = "calendar"
    JOIN = "join"
    WATCH = "watch"
    EVALUATE = "evaluate"
    TEST = "test"
    CERTIFICATE = "certificate"


class StepState(StrEnum):
    """Where a step stands; at most one of a place is next."""

    DONE = "done"
    NEXT = "next"
    LATER = "later"
    MISSED = "missed"


@dataclass(frozen=True, kw_only=True)
class PlaceFacts:
    """All that is known of one person and one session. The defaults are a stranger's."""

    status: SessionStatus
    starts_at: datetime
    ends_at: datetime
    window: RecordingWindow | None = None
    """The recording window, with the person's own end if they have an extension."""
    registered: bool = False
    seen_live: bool = False
    seen_recording: bool = False
    evaluation_wanted: bool = False
    evaluation_given: bool = False
    evaluation_due_at: datetime | None = None
    test_wanted: bool = False
    test_passed: bool = False
    test_due_at: datetime | None = None
    credit_offered: bool = False
    watching_earns: bool = False
    """Being there live earned nothing in the end, and the recording still can."""
    credit_until: datetime | None = None
    """The last instant but one at which watching still earns credit, if there is a limit."""
    has_certificate: bool = False

    @property
    def seen(self) -> bool:
        """True if the person was there, live or afterwards."""
        return self.seen_live or self.seen_recording


@dataclass(frozen=True, kw_only=True)
class Step:
    """One step of a place. `opens_at`: not before; `due_at`: not from then on."""

    kind: StepKind
    state: StepState
    opens_at: datetime | None = None
    due_at: datetime | None = None


def is_over(facts: PlaceFacts, *, now: datetime) -> bool:
    """True once nothing live comes any more, even if nobody has closed the session yet."""
    if facts.status is SessionStatus.LIVE:
        return False
    return facts.status is SessionStatus.ENDED or now >= facts.ends_at


def may_join(facts: PlaceFacts, *, now: datetime) -> bool:
    """True from a quarter of an hour before the start until the end, or while it is on air."""
    if facts.status is SessionStatus.LIVE:
        return True
    opens_at = facts.starts_at - JOIN_OPENS_BEFORE
    return facts.status is SessionStatus.PUBLISHED and opens_at <= now < facts.ends_at


def steps_for(facts: PlaceFacts, *, now: datetime) -> list[Step]:
    """The steps of this person in this session, in order. A cancelled session has none."""
    if facts.status in (SessionStatus.CANCELLED, SessionStatus.DRAFT):
        return []
    found = [_register(facts, now)]
    if found[0].state is StepState.MISSED:
        return found
    over = is_over(facts, now=now)
    if not over and not may_join(facts, now=now):
        found.append(Step(kind=StepKind.CALENDAR, state=StepState.NEXT))
    if not over or facts.seen_live or not facts.seen_recording:
        found.append(_join(facts, now, over=over))
    if over:
        found.append(_watch(facts, now))
    if facts.evaluation_wanted:
        found.append(
            _paper(
                StepKind.EVALUATE,
                facts,
                now,
                done=facts.evaluation_given,
                due_at=facts.evaluation_due_at,
            )
        )
    if facts.test_wanted:
        found.append(
            _paper(StepKind.TEST, facts, now, done=facts.test_passed, due_at=facts.test_due_at)
        )
    if facts.credit_offered or facts.has_certificate:
        found.append(_certificate(facts, now))
    return _only_one_next(found)


def next_step(steps: list[Step]) -> Step | None:
    """The one step that carries the button, if any."""
    return next((step for step in steps if step.state is StepState.NEXT), None)


def _register(facts: PlaceFacts, now: datetime) -> Step:
    if facts.registered:
        return Step(kind=StepKind.REGISTER, state=StepState.DONE)
    closed = is_over(facts, now=now) and (facts.window is None or now >= facts.window.closes_at)
    state = StepState.MISSED if closed else StepState.NEXT
    return Step(kind=StepKind.REGISTER, state=state)


def _join(facts: PlaceFacts, now: datetime, *, over: bool) -> Step:
    if over:
        state = StepState.DONE if facts.seen_live else StepState.MISSED
        return Step(kind=StepKind.JOIN, state=state)
    if may_join(facts, now=now):
        return Step(kind=StepKind.JOIN, state=StepState.NEXT)
    opens_at = facts.starts_at - JOIN_OPENS_BEFORE
    return Step(kind=StepKind.JOIN, state=StepState.LATER, opens_at=opens_at)


def _watch(facts: PlaceFacts, now: datetime) -> Step:
    if facts.window is None:
        return Step(kind=StepKind.WATCH, state=StepState.LATER)
    if facts.seen_recording:
        return Step(kind=StepKind.WATCH, state=StepState.DONE)
    if now >= facts.window.closes_at:
        return Step(kind=StepKind.WATCH, state=StepState.MISSED)
    if now < facts.window.opens_at:
        return Step(kind=StepKind.WATCH, state=StepState.LATER, opens_at=facts.window.opens_at)
    # Whoever was there may watch again, but is not asked to.
    is_extra = facts.seen_live and not facts.watching_earns
    state = StepState.LATER if is_extra else StepState.NEXT
    return Step(kind=StepKind.WATCH, state=state, due_at=facts.window.closes_at)


def _paper(
    kind: StepKind,
    facts: PlaceFacts,
    now: datetime,
    *,
    done: bool,
    due_at: datetime | None,
) -> Step:
    """Evaluation and test: open to whoever was there, once it is over, until their deadline."""
    if done:
        return Step(kind=kind, state=StepState.DONE)
    if due_at is not None and now >= due_at:
        return Step(kind=kind, state=StepState.MISSED)
    over = is_over(facts, now=now)
    state = StepState.NEXT if over and facts.seen else StepState.LATER
    return Step(kind=kind, state=state, due_at=due_at)


def _certificate(facts: PlaceFacts, now: datetime) -> Step:
    if facts.has_certificate:
        return Step(kind=StepKind.CERTIFICATE, state=StepState.NEXT)
    too_late = facts.credit_until is not None and now >= facts.credit_until and not facts.seen
    return Step(kind=StepKind.CERTIFICATE, state=StepState.MISSED if too_late else StepState.LATER)


def _only_one_next(steps: list[Step]) -> list[Step]:
    """Only the first that could be next is; the others wait for it."""
    chosen = next_step(steps)
    return [
        replace(step, state=StepState.LATER)
        if step.state is StepState.NEXT and step is not chosen
        else step
        for step in steps
    ]
