"""What lands on the officer's desk in the demonstration, and what becomes of it."""

import hashlib
from collections.abc import Sequence
from datetime import datetime, timedelta

from webinar.demo.attending import Visit
from webinar.demo.checked import decide_again, presented, watched_with_checks
from webinar.demo.evenings import Act, Evening, Stage
from webinar.domain.attendance import ViewingMode
from webinar.domain.attendance_report import Report, ReportedVisit, ReportSource
from webinar.domain.review import CorrectionKind
from webinar.domain.span import Span
from webinar.models import AccreditationGrant, User
from webinar.services import accreditation, appeals, auditor_doors
from webinar.services.evidence import corrections, imports, incidents
from webinar.services.evidence.corrections import Change
from webinar.services.reports import post_event
from webinar.services.reports.post_event import ReportWords

# The evenings by number, counted back from the latest, 0. A short season crowds them together.
OUTAGE, APPEAL, CHECKS, IMPORT, FACULTY_CREDIT = 2, 3, 4, 5, 7
AUDITED = slice(1, 5)
DOOR_DAYS = 30

REPORT_SENT_AFTER = timedelta(days=20)
REPORT_DUE_AFTER = timedelta(days=28)
CHAIR = "Prof Aurélie Vandermeulen"

OBJECTION = (
    "I watched until the end. After half an hour my laptop ran out of power, and I went on "
    "watching on the screen in our seminar room, beside two colleagues who can confirm it."
)


def at_the_desk(
    stage: Stage, past: Sequence[Evening], found: Sequence[Sequence[Visit]]
) -> list[Act]:
    """Everything of the season that needs an officer. `found`: who came, by evening."""

    def at(number: int) -> int:
        return min(number, len(past) - 1)

    acts = _outage(stage, past[at(OUTAGE)])
    acts += _appeal_and_corrections(stage, past[at(APPEAL)], found[at(APPEAL)])
    acts += watched_with_checks(stage, past[at(CHECKS)], found[at(CHECKS)])
    acts += _imported(stage, past[at(IMPORT)], found[at(IMPORT)])
    acts += presented(stage, past[at(FACULTY_CREDIT)])
    old = [one for one in past if stage.now - one.session.ends_at > REPORT_DUE_AFTER]
    for evening in old:
        acts += _reported(stage, evening)
    # The oldest that is not sent; after a break that is one of the latest.
    unsent = past[: len(past) - len(old)]
    if unsent:
        acts += _signed(stage, unsent[-1])
    return [*acts, _door(stage, past[AUDITED])]


def _outage(stage: Stage, evening: Evening) -> list[Act]:
    session = evening.session

    def declare(now: datetime) -> None:
        began = session.starts_at + timedelta(minutes=21)
        incidents.declare(
            stage.db,
            session,
            Span(began, began + timedelta(minutes=3, seconds=30)),
            what="The presenter's line broke, and nobody saw or heard anything.",
            actor_id=stage.cast.officer.id,
            now=now,
        )
        decide_again(stage, evening, now=now)

    return [Act(session.ends_at + evening.overrun + timedelta(minutes=25), declare)]


def _appeal_and_corrections(stage: Stage, evening: Evening, found: Sequence[Visit]) -> list[Act]:
    """The participant appeals; what the officer proposes waits. For another it is approved."""
    db, session, cast = stage.db, evening.session, stage.cast
    ended_at = session.ends_at + evening.overrun
    own = next(visit for visit in found if visit.user.id == cast.participant.id)
    others = [visit for visit in found if visit is not own]
    early = min(others, key=lambda visit: visit.left)

    def object_(now: datetime) -> None:
        grant = _live_grants(stage, evening)[-1]
        appeals.raise_appeal(db, session, cast.participant.id, grant.id, words=OBJECTION, now=now)

    def propose(now: datetime) -> None:
        appeal = next(iter(appeals.open_of_person(db, session.id, cast.participant.id).values()))
        corrections.propose(
            db,
            session,
            cast.participant.id,
            _rest_of(evening, own),
            reason="Two colleagues, both on the list of the seminar room, confirm it by mail.",
            actor_id=cast.officer.id,
            appeal_id=appeal.id,
            now=now,
        )

    def correct(now: datetime) -> None:
        correction = corrections.propose(
            db,
            session,
            early.user.id,
            _rest_of(evening, early),
            reason="Watched to the end by the hospital's satellite room; its list is signed.",
            actor_id=cast.officer.id,
            now=now,
        )
        corrections.approve(
            db,
            correction,
            actor_id=cast.administrator.id,
            public_url=stage.calendar.public_url,
            answer="The list is here and signed by the head of the department.",
            now=now + timedelta(hours=2),
        )

    return [
        Act(ended_at + timedelta(hours=14), object_),
        Act(ended_at + timedelta(hours=18), correct),
        Act(ended_at + timedelta(hours=19), propose),
    ]


def _rest_of(evening: Evening, visit: Visit) -> Change:
    """From when somebody's player went silent until the announced end."""
    left_at = evening.session.starts_at + visit.left
    span = Span(int(left_at.timestamp()), int(evening.session.ends_at.timestamp()))
    if span.start >= span.end:
        span = Span(span.end - 300, span.end)
    return Change(kind=CorrectionKind.ADD_PRESENCE, mode=ViewingMode.LIVE, span=span)


def _imported(stage: Stage, evening: Evening, found: Sequence[Visit]) -> list[Act]:
    """Some watched in a room of Zoom: most are known by their address, two namesakes are not."""
    session = evening.session
    came = {visit.user.id for visit in found}
    audience = stage.cast.audience
    absent = [user for user in audience[: len(audience) * 2 // 3] if user.id not in came]

    def take_in(now: datetime) -> None:
        filename = f"participants_{session.starts_at:%Y%m%d}.csv"
        imports.take_in(
            stage.db,
            session.id,
            _zoom_report(evening, absent[1:], namesake=absent[0]),
            filename=filename,
            digest=hashlib.sha256(filename.encode()).hexdigest(),
            actor_id=stage.cast.officer.id,
            now=now,
        )
        decide_again(stage, evening, now=now)

    return [Act(session.ends_at + evening.overrun + timedelta(hours=16), take_in)]


def _zoom_report(evening: Evening, known: Sequence[User], *, namesake: User) -> Report:
    """What a table of Zoom says, read: addresses of some people only."""
    stays = [(user.name, user.email, 2 + number, 44) for number, user in enumerate(known)]
    # Two people at the same time under one name: who is who, somebody has to find out.
    stays += [(namesake.name, "", 1, 43), (namesake.name, "", 9, 26)]
    starts_at = evening.session.starts_at
    return Report(
        source=ReportSource.ZOOM,
        rows=len(stays),
        visits=tuple(
            ReportedVisit(
                row=row,
                name=name,
                email=email,
                joined_at=starts_at + timedelta(minutes=joined),
                left_at=starts_at + timedelta(minutes=left),
            )
            for row, (name, email, joined, left) in enumerate(stays, start=2)
        ),
        problems=(),
    )


def _signed(stage: Stage, evening: Evening) -> list[Act]:
    """The report to the first body is signed and still here; the one to the second is due."""

    def sign(now: datetime) -> None:
        _sign(stage, evening, _live_grants(stage, evening)[0], now=now)

    return [Act(evening.session.ends_at + REPORT_SENT_AFTER, sign)]


def _reported(stage: Stage, evening: Evening) -> list[Act]:
    """All reports about an evening of long ago were signed and sent."""

    def send(now: datetime) -> None:
        for grant in post_event.reportable(stage.db, evening.session):
            if post_event.words_of(stage.db, grant).signed_at is None:
                _sign(stage, evening, grant, now=now)
            post_event.mark_sent(stage.db, grant, actor_id=stage.cast.officer.id, now=now)

    return [Act(evening.session.ends_at + REPORT_SENT_AFTER + timedelta(days=1), send)]


def _sign(stage: Stage, evening: Evening, grant: AccreditationGrant, *, now: datetime) -> None:
    officer_id = stage.cast.officer.id
    words = ReportWords(improvements="More time for questions: fifteen minutes instead of ten.")
    post_event.save_words(stage.db, grant, words, actor_id=officer_id, now=now)
    post_event.sign(
        stage.db,
        evening.session,
        grant,
        chair_name=CHAIR,
        chair_role="Chair of the scientific committee (demonstration)",
        actor_id=officer_id,
        now=now,
    )


def _door(stage: Stage, evenings: Sequence[Evening]) -> Act:
    def make(now: datetime) -> None:
        auditor_doors.make(
            stage.db,
            evenings[0].session.society_id,
            [evening.session.id for evening in evenings],
            label="Spot check of an accreditor (demonstration)",
            days=DOOR_DAYS,
            actor_id=stage.cast.officer.id,
            now=now,
        )

    return Act(stage.now - timedelta(hours=12), make)


def _live_grants(stage: Stage, evening: Evening) -> list[AccreditationGrant]:
    return [
        grant
        for grant in accreditation.grants_of(stage.db, evening.session.id)
        if grant.mode is ViewingMode.LIVE
    ]
