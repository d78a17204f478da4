"""From rows to the facts of a case: what the rules of credit are asked with."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, time, timedelta
from decimal import Decimal
from fractions import Fraction

from sqlalchemy import func, select

from webinar.db import DbSession
from webinar.domain.attendance import ViewingMode, coverage, evidence_in
from webinar.domain.attention import due_of
from webinar.domain.counting import without
from webinar.domain.credit import CaseFacts, Grant, Reason, TestResult, deadline_hours
from webinar.domain.policy import CountingWindow
from webinar.domain.policy import CreditPolicy as Rules
from webinar.domain.span import Span
from webinar.domain.timezone import to_local, to_utc
from webinar.domain.viewing import Viewing
from webinar.models import (
    AccreditationGrant,
    CreditDecision,
    EvaluationGiven,
    Identifier,
    TestAttempt,
    WebinarSession,
)
from webinar.services import attendance, recordings
from webinar.services.evidence.grounds import Corrected, Grounds, grounds_of
from webinar.services.grants import Offer

HOUR = timedelta(hours=1)
JUST_AFTER = Fraction(1, 3600)
"""A deadline that has passed is asked about as of one second later, whenever that is: so a
case decided again tomorrow has the same facts."""


@dataclass(frozen=True)
class Papers:
    """What people have handed in for a session, by person."""

    evaluated: dict[int, datetime]
    attempts: dict[int, list[TestAttempt]]
    identifiers: dict[int, frozenset[str]]
    earned: dict[tuple[int, int], Decimal]
    """(person, accreditor) -> credit of other sessions of the same day."""
    grounds: Grounds = field(default_factory=Grounds)

    def speak_for(self, user_id: int, mode: ViewingMode) -> bool:
        """True if there is something to decide upon though nothing was heard of a player."""
        return self.grounds.speak_for(user_id, mode)


@dataclass(frozen=True, kw_only=True)
class Case:
    """One person under one grant: the facts, and until when what is missing may come."""

    facts: CaseFacts
    ended_at: datetime
    """Of the live session, or of the watching: deadlines run from here."""

    def due_at(self, rules: Rules, reason: Reason) -> datetime | None:
        """The last instant for what a pending decision waits for; None without a deadline."""
        hours = None
        if reason is Reason.PENDING_TEST:
            hours = rules.test_deadline_hours
        elif reason is Reason.PENDING_EVALUATION:
            hours = _evaluation_hours(rules)
        hours = deadline_hours(hours, self.facts.papers_until_hours)
        return None if hours is None else self.ended_at + HOUR * float(hours)


def papers_of(
    db: DbSession, session: WebinarSession, offers: Sequence[Offer], user_ids: Sequence[int]
) -> Papers:
    """All papers of these people, in a fixed number of queries."""
    evaluated = db.execute(
        select(EvaluationGiven.user_id, EvaluationGiven.given_at).where(
            EvaluationGiven.session_id == session.id, EvaluationGiven.user_id.in_(user_ids)
        )
    )
    attempts: dict[int, list[TestAttempt]] = {}
    for attempt in db.scalars(
        select(TestAttempt)
        .where(TestAttempt.session_id == session.id, TestAttempt.user_id.in_(user_ids))
        .order_by(TestAttempt.number)
    ):
        attempts.setdefault(attempt.user_id, []).append(attempt)
    identifiers: dict[int, set[str]] = {}
    if any(offer.rules.requires_identifier for offer in offers):
        for user_id, kind in db.execute(
            select(Identifier.user_id, Identifier.kind).where(Identifier.user_id.in_(user_ids))
        ):
            identifiers.setdefault(user_id, set()).add(kind)
    return Papers(
        evaluated=dict(evaluated.all()),
        attempts=attempts,
        identifiers={user_id: frozenset(kinds) for user_id, kinds in identifiers.items()},
        earned=_earned_that_day(db, session, offers, user_ids),
        grounds=grounds_of(db, session, offers, user_ids),
    )


def case_of(
    db: DbSession,
    session: WebinarSession,
    offer: Offer,
    viewing: Viewing,
    papers: Papers,
    user_id: int,
    *,
    already_credited: bool,
    now: datetime,
) -> Case:
    """The facts of one person under one grant."""
    grant, rules, grounds = offer.grant, offer.rules, papers.grounds
    rate = float(rules.max_playback_rate)
    corrected = grounds.corrected.get((user_id, grant.mode), Corrected())
    if grant.mode is ViewingMode.RECORDED:
        viewing = _inside_the_window(db, session, user_id, viewing, allowed_rate=rate)
        in_time = viewing
        if grant.credit_until is not None:
            in_time = viewing.before(grant.credit_until, allowed_rate=rate)
        # What is watched after the credit clock neither adds to it nor takes from it.
        viewing = in_time if in_time.loads else viewing
        ended_at = credit_at = viewing.last_seen_at or now
        if grant.credit_until is not None and in_time.loads:
            credit_at = min(credit_at, grant.credit_until - timedelta(microseconds=1))
    else:
        ended_at = session.actual_ended_at or session.ends_at
        credit_at = session.starts_at
    ground = _ground(db, session, offer, viewing, papers, user_id)
    length = ground.window.end - ground.window.start
    due = due_of(rules, window_seconds=length, seen_seconds=ground.in_our_player)
    presented = grounds.presented.get(user_id)
    is_faculty = grant.mode is ViewingMode.FACULTY
    issued, answered = grounds.checks.get(grant.mode, {}).get(user_id, (0, 0))
    evaluated_at = papers.evaluated.get(user_id)
    more_time = _more_time(rules, corrected, ended_at)
    facts = CaseFacts(
        mode=grant.mode,
        window=ground.window,
        evidence=ground.evidence,
        grant=Grant(
            credits=grant.credits_granted,
            mode=grant.mode,
            status=grant.status,
            reference=grant.reference,
            credit_until=grant.credit_until,
        ),
        credit_at=credit_at,
        hours_since_end=_hours_since(ended_at, rules, more_time, now),
        wall_seconds=viewing.wall_seconds if rules.min_wall_ratio else None,
        checks_issued=max(issued, due),
        checks_answered=answered,
        test=_best(papers.attempts.get(user_id, []), rules, more_time, ended_at),
        evaluation=evaluated_at is not None,
        evaluation_hours_after_end=(
            None
            if evaluated_at is None or rules.evaluation_deadline_days is None
            else _hours(ended_at, evaluated_at)
        ),
        identifier=rules.requires_identifier in papers.identifiers.get(user_id, frozenset()),
        # Presenting comes first: credit for having listened is what gives way.
        already_credited=already_credited and not is_faculty,
        earned_today=papers.earned.get((user_id, grant.accreditor_id), Decimal(0)),
        outages=grounds.outages if grant.mode is ViewingMode.LIVE else (),
        added=ground.added,
        removed=ground.removed,
        checks_waived=corrected.checks_waived,
        papers_until_hours=more_time,
        presented=(
            not is_faculty
            and presented is not None
            and grant.accreditor_id in grounds.faculty_bodies
        ),
        is_repeat=is_faculty and presented is not None and presented.is_repeat,
    )
    return Case(facts=facts, ended_at=ended_at)


@dataclass(frozen=True, kw_only=True)
class _Ground:
    """What there is of one person on the clock that counts, in whole seconds."""

    window: Span[int]
    evidence: tuple[Span[int], ...]
    added: tuple[Span[int], ...] = ()
    removed: tuple[Span[int], ...] = ()
    in_our_player: int = 0
    """Seconds seen where attention checks can be put: not in a room of others."""


def _ground(
    db: DbSession,
    session: WebinarSession,
    offer: Offer,
    viewing: Viewing,
    papers: Papers,
    user_id: int,
) -> _Ground:
    mode, rules, grounds = offer.grant.mode, offer.rules, papers.grounds
    actual = rules.window is CountingWindow.ACTUAL
    window = attendance.counting_window(db, session, mode, actual=actual)
    if mode is ViewingMode.FACULTY:
        presented = grounds.presented.get(user_id)
        length = window.end - window.start
        seconds = 0 if presented is None else min(presented.minutes * 60, length)
        return _Ground(window=Span(0, length), evidence=(Span(0, seconds),) if seconds else ())
    spans = viewing.spans(allowed_rate=float(rules.max_playback_rate))
    corrected = grounds.corrected.get((user_id, mode), Corrected())
    added, removed = _seconds(corrected.added), _seconds(corrected.removed)
    if mode is ViewingMode.LIVE:
        spans = attendance.counting_spans(db, session, mode, spans)
        in_our_player = coverage(window, spans)
        spans += grounds.visits.get(user_id, ())
    elif _is_enough_of_the_whole(db, session, without([*spans, *added], removed), rules):
        window = attendance.whole_window(db, session)
        in_our_player = coverage(window, spans)
    else:
        spans, added, removed = (
            attendance.counting_spans(db, session, mode, one) for one in (spans, added, removed)
        )
        in_our_player = coverage(window, spans)
    return _Ground(
        window=window,
        evidence=evidence_in(window, spans),
        added=evidence_in(window, added),
        removed=evidence_in(window, removed),
        in_our_player=in_our_player,
    )


def _seconds(spans: Sequence[Span[int]]) -> list[Span[float]]:
    return [Span(float(span.start), float(span.end)) for span in spans]


def _more_time(rules: Rules, corrected: Corrected, ended_at: datetime) -> Fraction | None:
    """Up to when a correction lets papers come, in hours after the end; None where it is moot."""
    until = corrected.papers_until
    if until is None or not _deadlines(rules, None):
        return None
    return _hours(ended_at, until)


def _is_enough_of_the_whole(
    db: DbSession, session: WebinarSession, spans: Sequence[Span[float]], rules: Rules
) -> bool:
    """True for who has earned it, whatever was cut out of the recording since."""
    whole = attendance.whole_window(db, session)
    return coverage(whole, spans) >= rules.threshold * (whole.end - whole.start)


def _hours(start: datetime, end: datetime) -> Fraction:
    """Exact hours, at least 0: a paper handed in while one still watches is not early."""
    return max(Fraction((end - start) // timedelta(microseconds=1), 3_600_000_000), Fraction(0))


def _deadlines(rules: Rules, more_time: Fraction | None) -> list[Fraction]:
    """The deadlines of what the rules ask for, in hours after the end."""
    stated = [
        rules.test_deadline_hours if rules.test_required else None,
        _evaluation_hours(rules) if rules.evaluation_required else None,
    ]
    deadlines = [deadline_hours(hours, more_time) for hours in stated]
    return [hours for hours in deadlines if hours is not None]


def _evaluation_hours(rules: Rules) -> Fraction | None:
    days = rules.evaluation_deadline_days
    return None if days is None else Fraction(days * 24)


def _hours_since(
    ended_at: datetime, rules: Rules, more_time: Fraction | None, now: datetime
) -> Fraction | None:
    since = _hours(ended_at, now)
    passed = [deadline for deadline in _deadlines(rules, more_time) if since > deadline]
    return max(passed) + JUST_AFTER if passed else None


def _best(
    attempts: list[TestAttempt],
    rules: Rules,
    more_time: Fraction | None,
    ended_at: datetime,
) -> TestResult | None:
    if not attempts or not rules.test_required:
        return None
    deadline = deadline_hours(rules.test_deadline_hours, more_time)

    def worth(attempt: TestAttempt) -> tuple[bool, int, int]:
        in_time = deadline is None or _hours(ended_at, attempt.taken_at) <= deadline
        return in_time, attempt.correct, -attempt.number

    best = max(attempts, key=worth)
    return TestResult(
        correct=best.correct,
        of=best.of,
        hours_after_end=Fraction(0) if deadline is None else _hours(ended_at, best.taken_at),
    )


def _earned_that_day(
    db: DbSession, session: WebinarSession, offers: Sequence[Offer], user_ids: Sequence[int]
) -> dict[tuple[int, int], Decimal]:
    capped = {o.grant.accreditor_id for o in offers if o.rules.max_per_day is not None}
    if not capped:
        return {}
    day = to_local(session.starts_at, session.zone).date()
    start, end = (
        to_utc(datetime.combine(d, time()), session.zone, on_gap="forward", on_fold="first")
        for d in (day, day + timedelta(days=1))
    )
    rows = db.execute(
        select(
            CreditDecision.user_id,
            AccreditationGrant.accreditor_id,
            func.sum(CreditDecision.credit),
        )
        .join(AccreditationGrant, AccreditationGrant.id == CreditDecision.grant_id)
        .join(WebinarSession, WebinarSession.id == CreditDecision.session_id)
        .where(
            CreditDecision.is_latest,
            CreditDecision.reason == Reason.OK,
            CreditDecision.user_id.in_(user_ids),
            CreditDecision.session_id != session.id,
            AccreditationGrant.accreditor_id.in_(capped),
            WebinarSession.starts_at >= start,
            WebinarSession.starts_at < end,
        )
        .group_by(CreditDecision.user_id, AccreditationGrant.accreditor_id)
    )
    return {(user_id, body): Decimal(str(credit)) for user_id, body, credit in rows}


def _inside_the_window(
    db: DbSession,
    session: WebinarSession,
    user_id: int,
    viewing: Viewing,
    *,
    allowed_rate: float,
) -> Viewing:
    """What was seen before the recording closed for this person.

    A pass is good until the window's end as it was when the page loaded; the window may have been
    closed early since then.
    """
    recording = recordings.for_session(db, session.id)
    if recording is None or recording.closes_at is None:
        return viewing
    if viewing.last_seen_at is None or viewing.last_seen_at < recording.closes_at:
        return viewing
    closes_at = recordings.closes_at_of(db, recording, user_id)
    return viewing.before(closes_at, allowed_rate=allowed_rate)
