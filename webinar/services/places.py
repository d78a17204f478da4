"""Where a person stands in sessions: the facts of many places, a fixed number of queries."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import func, select

from webinar.db import DbSession
from webinar.domain.attendance import ViewingMode
from webinar.domain.credit import PENDING, CreditPolicy, GrantStatus, Reason
from webinar.domain.place import PlaceFacts, Step, steps_for
from webinar.domain.recording import RecordingState, RecordingWindow
from webinar.models import (
    AccreditationGrant,
    Certificate,
    CreditDecision,
    EvaluationGiven,
    Recording,
    Registration,
    SeriesRegistration,
    TestAttempt,
    ViewingPass,
    WatchSegment,
    WebinarSession,
    WindowExtension,
)
from webinar.models import CreditPolicy as StoredPolicy
from webinar.services.listings import Listed, Offer

WATCHABLE = (RecordingState.PUBLISHED, RecordingState.CLOSED, RecordingState.DESTROYED)


@dataclass(frozen=True, kw_only=True)
class Place:
    """A person's place in a session, ready to be shown."""

    session: WebinarSession
    facts: PlaceFacts
    steps: tuple[Step, ...]
    certificate: str
    """Its number; "" while there is none."""

    @property
    def watch_until(self) -> datetime | None:
        """The first clock."""
        return self.facts.window.closes_at if self.facts.window else None

    @property
    def credit_until(self) -> datetime | None:
        """The second clock; None if credit has no end of its own."""
        return self.facts.credit_until


@dataclass(frozen=True)
class _Known:
    """What the database knows of one person in some sessions, each by session id."""

    registered: frozenset[int]
    seen: frozenset[tuple[int, ViewingMode]]
    extended: dict[int, datetime]
    evaluated: frozenset[int]
    attempts: dict[int, list[TestAttempt]]
    certificates: dict[int, str]
    failed_live: frozenset[int]


NOBODY = _Known(frozenset(), frozenset(), {}, frozenset(), {}, {}, frozenset())


def place_of(db: DbSession, listed: Listed, user_id: int | None, *, now: datetime) -> Place:
    """One place; of a stranger for None."""
    return places_of(db, [listed], user_id, now=now)[0]


def places_of(
    db: DbSession, sessions: Sequence[Listed], user_id: int | None, *, now: datetime
) -> list[Place]:
    """The places of one person in these sessions, in their order."""
    known = NOBODY
    if user_id is not None and sessions:
        known = _known(db, [listed.session.id for listed in sessions], user_id)
    policies = _policies(db, sessions)
    return [_place(listed, known, policies, now) for listed in sessions]


def registered_ids(db: DbSession, user_id: int) -> list[int]:
    """Sessions in which the person has a place."""
    return list(
        db.scalars(
            select(Registration.session_id).where(
                Registration.user_id == user_id, Registration.cancelled_at.is_(None)
            )
        )
    )


def is_in_series(db: DbSession, series_id: int, user_id: int) -> bool:
    """True if the person takes part in the whole series."""
    return db.get(SeriesRegistration, (series_id, user_id)) is not None


def _policies(db: DbSession, sessions: Sequence[Listed]) -> dict[int, CreditPolicy]:
    """The rules behind all grants, in one query."""
    ids = {offer.policy_id for listed in sessions for offer in listed.offers}
    if not ids:
        return {}
    return {
        stored.id: CreditPolicy.from_data(stored.name, stored.version, stored.data)
        for stored in db.scalars(select(StoredPolicy).where(StoredPolicy.id.in_(ids)))
    }


def _known(db: DbSession, ids: list[int], user_id: int) -> _Known:
    registered = db.scalars(
        select(Registration.session_id).where(
            Registration.user_id == user_id,
            Registration.session_id.in_(ids),
            Registration.cancelled_at.is_(None),
        )
    )
    seen = db.execute(
        select(ViewingPass.session_id, ViewingPass.mode)
        .join(WatchSegment, WatchSegment.pass_id == ViewingPass.id)
        .where(ViewingPass.user_id == user_id, ViewingPass.session_id.in_(ids))
        .distinct()
    )
    extended = db.execute(
        select(Recording.session_id, func.max(WindowExtension.closes_at))
        .join(Recording, Recording.id == WindowExtension.recording_id)
        .where(WindowExtension.user_id == user_id, Recording.session_id.in_(ids))
        .group_by(Recording.session_id)
    )
    evaluated = db.scalars(
        select(EvaluationGiven.session_id).where(
            EvaluationGiven.user_id == user_id, EvaluationGiven.session_id.in_(ids)
        )
    )
    attempts: dict[int, list[TestAttempt]] = {}
    for attempt in db.scalars(
        select(TestAttempt).where(TestAttempt.user_id == user_id, TestAttempt.session_id.in_(ids))
    ):
        attempts.setdefault(attempt.session_id, []).append(attempt)
    certificates = db.execute(
        select(Certificate.session_id, Certificate.number)
        .where(
            Certificate.user_id == user_id,
            Certificate.session_id.in_(ids),
            Certificate.revoked_at.is_(None),
        )
        .order_by(Certificate.revision)
    )
    return _Known(
        registered=frozenset(registered),
        seen=frozenset((session_id, mode) for session_id, mode in seen),
        extended=dict(list(extended)),
        evaluated=frozenset(evaluated),
        attempts=attempts,
        certificates=dict(list(certificates)),
        failed_live=_failed_live(db, ids, user_id),
    )


def _failed_live(db: DbSession, ids: list[int], user_id: int) -> frozenset[int]:
    """Sessions whose every live decision about the person is a final no."""
    decisions = db.execute(
        select(CreditDecision.session_id, CreditDecision.grant_id, CreditDecision.reason)
        .join(AccreditationGrant, AccreditationGrant.id == CreditDecision.grant_id)
        .where(
            CreditDecision.user_id == user_id,
            CreditDecision.session_id.in_(ids),
            AccreditationGrant.mode == ViewingMode.LIVE,
        )
        .order_by(CreditDecision.revision)
    )
    standing = {(session_id, grant_id): reason for session_id, grant_id, reason in decisions}
    decided = {session_id for session_id, _ in standing}
    hopeful = {
        session_id
        for (session_id, _), reason in standing.items()
        if reason is Reason.OK or reason in PENDING
    }
    return frozenset(decided - hopeful)


def _place(
    listed: Listed, known: _Known, policies: dict[int, CreditPolicy], now: datetime
) -> Place:
    session = listed.session
    seen_live = (session.id, ViewingMode.LIVE) in known.seen
    seen_recording = (session.id, ViewingMode.RECORDED) in known.seen
    # Who was only at the recording is asked for what the recording's credit needs; so is who was
    # not there at all, or not long enough, once the evening is over.
    counts_live = seen_live and session.id not in known.failed_live
    over_unseen = _is_over(session, now) and not counts_live
    is_recorded = over_unseen or (seen_recording and not seen_live)
    mode = ViewingMode.RECORDED if is_recorded else ViewingMode.LIVE
    offers = [
        (offer, policies[offer.policy_id])
        for offer in listed.offers
        if offer.status is GrantStatus.GRANTED and offer.mode is mode
    ]
    ended_at = session.actual_ended_at or session.ends_at
    tests = [policy for _, policy in offers if policy.test_required]
    certificate = known.certificates.get(session.id, "")
    facts = PlaceFacts(
        status=session.status,
        starts_at=session.starts_at,
        ends_at=session.ends_at,
        window=_window(listed.recording, known.extended.get(session.id)),
        registered=session.id in known.registered,
        seen_live=seen_live,
        seen_recording=seen_recording,
        evaluation_wanted=any(policy.evaluation_required for _, policy in offers),
        evaluation_given=session.id in known.evaluated,
        evaluation_due_at=_latest(
            [_evaluation_due(offer, policy, ended_at) for offer, policy in offers]
        ),
        test_wanted=bool(tests),
        test_passed=any(
            _passed(attempt, policy)
            for attempt in known.attempts.get(session.id, [])
            for policy in tests
        ),
        test_due_at=_latest(
            [_test_due(offer, policy, ended_at) for offer, policy in offers if policy.test_required]
        ),
        credit_offered=bool(offers),
        watching_earns=bool(offers) and session.id in known.failed_live,
        credit_until=_latest([offer.credit_until for offer, _ in offers]),
        has_certificate=bool(certificate),
    )
    return Place(
        session=session,
        facts=facts,
        steps=tuple(steps_for(facts, now=now)),
        certificate=certificate,
    )


def _is_over(session: WebinarSession, now: datetime) -> bool:
    return session.actual_ended_at is not None or now >= session.ends_at


def _window(recording: Recording | None, extended: datetime | None) -> RecordingWindow | None:
    if recording is None or recording.window is None or recording.state not in WATCHABLE:
        return None
    window = recording.window
    until = max(window.closes_at, extended or window.closes_at)
    return RecordingWindow(window.opens_at, until)


def _evaluation_due(offer: Offer, policy: CreditPolicy, ended_at: datetime) -> datetime | None:
    if policy.evaluation_deadline_days is None:
        return offer.credit_until
    return ended_at + timedelta(days=policy.evaluation_deadline_days)


def _test_due(offer: Offer, policy: CreditPolicy, ended_at: datetime) -> datetime | None:
    if policy.test_deadline_hours is None:
        return offer.credit_until
    return ended_at + timedelta(hours=float(policy.test_deadline_hours))


def _passed(attempt: TestAttempt, policy: CreditPolicy) -> bool:
    mark = policy.pass_mark
    return mark is None or attempt.correct >= mark * attempt.of


def _latest(instants: list[datetime | None]) -> datetime | None:
    """The latest; None, which means no limit, if any has none."""
    known = [instant for instant in instants if instant is not None]
    return max(known) if known and len(known) == len(instants) else None
