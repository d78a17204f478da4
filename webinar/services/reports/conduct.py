"""How a session was held: programme, questions, checks, incidents, interests, certificates."""

from datetime import datetime

from sqlalchemy import func, select

from webinar.db import DbSession
from webinar.domain.attendance import ViewingMode
from webinar.domain.credit import GrantStatus
from webinar.domain.policy_words import amount_words
from webinar.domain.report import Grid, Section
from webinar.domain.review import AppealState, CorrectionKind, CorrectionState
from webinar.domain.statements import shown_statement
from webinar.domain.wording import (
    day_words,
    duration_minutes,
    local_moment,
    local_time,
    plural,
)
from webinar.models import (
    AccreditationGrant,
    Appeal,
    AttentionCheck,
    Certificate,
    CreditCorrection,
    Incident,
    PostEventReport,
    Question,
    WebinarSession,
)
from webinar.services import recordings

NOT_SAID = "not said"
KINDS: dict[CorrectionKind, str] = {
    CorrectionKind.ADD_PRESENCE: "Time added",
    CorrectionKind.REMOVE_PRESENCE: "Time taken off",
    CorrectionKind.WAIVE_CHECKS: "Attention checks waived",
    CorrectionKind.MORE_TIME: "More time for papers",
}


def accreditation_section(session: WebinarSession, grant: AccreditationGrant) -> Section:
    """Whose grant it is, and what it says."""
    statement = shown_statement(
        grant.status, applied=grant.statement_applied, granted=grant.statement_granted
    )
    return Section(
        key="accreditation",
        title="Accreditation",
        facts=(
            ("Body", grant.accreditor.name),
            ("Reference", grant.reference or NOT_SAID),
            ("Edition of the criteria", grant.edition or NOT_SAID),
            ("State", "granted" if grant.status is GrantStatus.GRANTED else grant.status.value),
            ("Decided on", day_words(grant.decided_on) if grant.decided_on else NOT_SAID),
            (
                "For",
                {
                    ViewingMode.LIVE: "the live session",
                    ViewingMode.RECORDED: "the recording",
                    ViewingMode.FACULTY: "presenting",
                }[grant.mode],
            ),
            (
                "Credits granted",
                amount_words(grant.credits_granted, grant.accreditor.unit),
            ),
        ),
        words=(statement,) if statement else (),
    )


def programme_section(
    db: DbSession, session: WebinarSession, grant: AccreditationGrant, report: PostEventReport
) -> Section:
    """What was announced and what was held."""
    zone = session.zone
    facts = [
        ("Title", session.title),
        ("Series", session.series.name if session.series else "none"),
        ("Provider", session.society.name),
        ("Announced", _span(session.starts_at, session.ends_at, zone)),
    ]
    if session.actual_started_at and session.actual_ended_at:
        facts.append(("Held", _span(session.actual_started_at, session.actual_ended_at, zone)))
    else:
        facts.append(("Held", "the broadcast was not recorded as such"))
    recording = recordings.for_session(db, session.id)
    if grant.mode is ViewingMode.RECORDED and recording is not None:
        opened = local_moment(recording.opens_at, zone) if recording.opens_at else NOT_SAID
        closes = local_moment(recording.closes_at, zone) if recording.closes_at else NOT_SAID
        facts += [
            ("Recording open from", opened),
            ("Recording open until", closes),
            ("Minutes of recording", str(int(recording.duration_seconds) // 60)),
        ]
    objectives = [line.strip() for line in session.objectives.splitlines() if line.strip()]
    return Section(
        key="programme",
        title="Programme as delivered",
        facts=tuple(facts),
        words=(
            *([f"Changes: {report.changes}"] if report.changes else ["No changes were noted."]),
        ),
        grids=(
            Grid(
                "Learning objectives",
                ("No.", "Objective"),
                tuple((str(number), words) for number, words in enumerate(objectives, start=1)),
            ),
            Grid(
                "Faculty",
                ("Name", "Part", "Affiliation"),
                tuple(
                    (member.name, member.part.value, member.affiliation or NOT_SAID)
                    for member in session.faculty
                ),
            ),
        ),
    )


def interaction_section(
    db: DbSession, session: WebinarSession, mode: ViewingMode
) -> tuple[Section, dict[str, int]]:
    """Questions, and attention checks where there were any."""
    asked, passed_on, answered = db.execute(
        select(
            func.count(),
            func.count(Question.passed_on_at),
            func.count(Question.answered_at),
        ).where(Question.session_id == session.id)
    ).one()
    checks, replies = db.execute(
        select(func.count(), func.count(AttentionCheck.answered_at)).where(
            AttentionCheck.session_id == session.id, AttentionCheck.mode == mode
        )
    ).one()
    section = Section(
        key="interaction",
        title="Interaction",
        facts=(
            ("Questions received", str(asked)),
            ("Passed on to the speakers", str(passed_on)),
            ("Marked as answered", str(answered)),
            ("Attention checks put", str(checks)),
            ("Attention checks answered", str(replies)),
        ),
        words=(
            "Participants ask in writing; moderators read the questions without a name and pass "
            "them on.",
        ),
    )
    return section, {
        "questions": asked,
        "questions_answered": answered,
        "checks_put": checks,
        "checks_answered": replies,
    }


def incident_section(db: DbSession, session: WebinarSession) -> tuple[Section, dict[str, int]]:
    """Outages, corrections of credit, appeals: what went wrong and what was done about it."""
    incidents = db.scalars(
        select(Incident)
        .where(Incident.session_id == session.id, Incident.withdrawn_at.is_(None))
        .order_by(Incident.starts_at, Incident.id)
    ).all()
    corrections = db.execute(
        select(CreditCorrection.kind, func.count())
        .where(
            CreditCorrection.session_id == session.id,
            CreditCorrection.state == CorrectionState.APPROVED,
        )
        .group_by(CreditCorrection.kind)
    )
    appeals = dict(
        db.execute(
            select(Appeal.state, func.count())
            .where(Appeal.session_id == session.id)
            .group_by(Appeal.state)
        ).all()
    )
    kinds = sorted((KINDS[kind], number) for kind, number in corrections)
    corrected = sum(number for _, number in kinds)
    grids = []
    if incidents:
        grids.append(
            Grid(
                "Technical incidents",
                ("When", "What"),
                tuple(
                    (_span(found.starts_at, found.ends_at, session.zone), found.what)
                    for found in incidents
                ),
            )
        )
    section = Section(
        key="incidents",
        title="Incidents and corrections",
        facts=(
            ("Technical incidents", str(len(incidents)) if incidents else "none"),
            (
                "Corrections of credit, each seen by two people",
                ", ".join(f"{words}: {number}" for words, number in kinds) or "none",
            ),
            ("Appeals", str(sum(appeals.values())) if appeals else "none"),
            ("Appeals upheld", str(appeals.get(AppealState.UPHELD, 0))),
        ),
        grids=tuple(grids),
    )
    return section, {
        "incidents": len(incidents),
        "corrections": corrected,
        "appeals": sum(appeals.values()),
    }


def interests_section(session: WebinarSession) -> Section:
    """What the audience was told of the faculty's interests, and since when."""
    rows = tuple(
        (
            member.name,
            member.disclosure or "nothing handed in",
            member.mitigation or ("none needed" if member.disclosure else NOT_SAID),
            local_moment(member.disclosed_at, session.zone) if member.disclosed_at else NOT_SAID,
        )
        for member in session.faculty
    )
    return Section(
        key="interests",
        title="Declarations of interest",
        words=(
            "Shown beside each name on the page of the session, to everybody who opened it, from "
            "the time given until today; certificates say where to find them.",
        ),
        grids=(Grid("Declarations", ("Name", "Declaration", "What was done", "Since"), rows),),
    )


def money_section(report: PostEventReport) -> Section:
    """Who paid."""
    return Section(
        key="sponsors",
        title="Sponsors",
        words=tuple(report.sponsors.splitlines()) or ("None.",),
    )


def certificate_section(db: DbSession, session: WebinarSession) -> tuple[Section, dict[str, int]]:
    """Certificates of the session: issued, replaced, revoked."""
    issued, people, replaced, revoked = db.execute(
        select(
            func.count(),
            func.count(Certificate.user_id.distinct()),
            func.count(Certificate.superseded_by),
            func.count(Certificate.revoked_at),
        ).where(Certificate.session_id == session.id)
    ).one()
    section = Section(
        key="certificates",
        title="Certificates",
        facts=(
            ("Issued", f"{plural(issued, 'certificate')} to {plural(people, 'person', 'people')}"),
            ("Replaced by a corrected one", str(replaced)),
            ("Revoked", str(revoked)),
        ),
    )
    return section, {
        "certificates": issued,
        "certificates_replaced": replaced,
        "certificates_revoked": revoked,
    }


def outlook_section(report: PostEventReport) -> Section:
    """What the organisers will do better."""
    return Section(
        key="improvements",
        title="Improvements planned",
        words=tuple(report.improvements.splitlines()) or ("Nothing was written down.",),
    )


def _span(starts_at: datetime, ends_at: datetime, zone: str) -> str:
    return (
        f"{local_moment(starts_at, zone)} to {local_time(ends_at, zone)} "
        f"({duration_minutes(starts_at, ends_at)})"
    )
