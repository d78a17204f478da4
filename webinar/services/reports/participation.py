"""Who registered, came and earned credit: the sections of a report about people, in groups."""

from collections import Counter
from collections.abc import Iterable
from decimal import Decimal

from sqlalchemy import func, select

from webinar.db import DbSession
from webinar.domain.attendance import ViewingMode
from webinar.domain.countries import COUNTRIES
from webinar.domain.credit import Reason
from webinar.domain.figures import minutes_and_seconds, plain_credit
from webinar.domain.masking import FEW, Masked, Step, mask, merge_steps
from webinar.domain.person import PROFESSIONS
from webinar.domain.report import Chart, Line, Section
from webinar.domain.wording import plural
from webinar.models import AccreditationGrant, CreditDecision, Registration, User, WebinarSession
from webinar.services.reports.attendance_figures import (
    STEP_MINUTES,
    AttendanceFigures,
    report_from_summaries,
)

MASKED = (
    f"Groups of fewer than {FEW} people stand together, with others beside them where the total "
    "would betray them."
)
ATTENDED = {
    ViewingMode.LIVE: "Attended live",
    ViewingMode.RECORDED: "Watched the recording",
    ViewingMode.FACULTY: "Presented",
}
REASONS: dict[Reason, str] = {
    Reason.OK: "Earned",
    Reason.NO_GRANT: "No grant any more",
    Reason.CREDIT_WINDOW_CLOSED: "Too late for credit",
    Reason.DUPLICATE_ACTIVITY: "Credited for this activity already",
    Reason.PENDING_IDENTIFIER: "Waiting for a registry’s number",
    Reason.SESSION_TOO_SHORT: "Session too short",
    Reason.BELOW_PRESENCE: "Not there long enough",
    Reason.CHECKS_MISSING: "Attention checks not answered",
    Reason.PENDING_TEST: "Waiting for the test",
    Reason.TEST_FAILED: "Test not passed",
    Reason.TEST_LATE: "Test too late",
    Reason.PENDING_EVALUATION: "Waiting for the evaluation",
    Reason.EVALUATION_LATE: "Evaluation too late",
    Reason.ZERO_AFTER_ROUNDING_OR_CAP: "Nothing after rounding or a cap",
}


def participation_sections(
    db: DbSession, session: WebinarSession, grant: AccreditationGrant
) -> tuple[list[Section], dict[str, int]]:
    """The sections, and their plain numbers by name."""
    held, gave_up, countries, professions = _registered(db, session.id)
    figures = report_from_summaries(db, session.id, grant.mode)
    reasons, credited_countries, total = _credited(db, grant)
    credited = reasons[Reason.OK]
    attended_words = ATTENDED[grant.mode]
    # Nobody views as faculty: who presented is who was decided upon.
    is_faculty = grant.mode is ViewingMode.FACULTY
    attended = sum(reasons.values()) if is_faculty else figures.people
    sections = [
        Section(
            key="participants",
            title="Participants",
            facts=(
                ("Registered", str(held)),
                ("Gave their place up", str(gave_up)),
                (f"{attended_words} (different people)", str(attended)),
                ("Earned credit", str(credited)),
            ),
            charts=(
                country_chart("Registered, by country", countries.items()),
                country_chart(f"{attended_words}, by country", figures.countries),
                country_chart("Earned credit, by country", credited_countries.items()),
                profession_chart("Registered, by profession", professions.items()),
                profession_chart(f"{attended_words}, by profession", figures.professions),
            ),
        ),
        _minutes(figures),
        Section(
            key="credit",
            title="Credit",
            facts=(
                ("Credits granted at most", plain_credit(grant.credits_granted)),
                ("Credits earned by all", plain_credit(total)),
            ),
            charts=(
                _chart(
                    "Decided without credit, or not yet, by reason",
                    mask(
                        (REASONS[reason], number)
                        for reason, number in reasons.items()
                        if reason is not Reason.OK
                    ),
                    ("other reason", "other reasons"),
                ),
            ),
        ),
    ]
    numbers = {
        "registered": held,
        "gave_up": gave_up,
        "attended": attended,
        "seconds_counted": figures.seconds,
        "credited": credited,
        "decided": sum(reasons.values()),
    }
    return sections, numbers


def country_chart(title: str, counts: Iterable[tuple[str, int]]) -> Chart:
    """Countries by name, masked."""
    named = Counter[str]()
    for code, people in counts:
        named[COUNTRIES.get(code, "Not said")] += people
    return _chart(title, mask(named.items()), ("other country", "other countries"))


def profession_chart(title: str, counts: Iterable[tuple[str, int]]) -> Chart:
    """Professions by name, masked."""
    named = Counter[str]()
    for key, people in counts:
        named[PROFESSIONS.get(key, PROFESSIONS["other"])] += people
    return _chart(title, mask(named.items()), ("other profession", "other professions"))


def _chart(title: str, masked: Masked, rest: tuple[str, str]) -> Chart:
    lines = [Line(group.label, group.people) for group in masked.groups]
    if masked.others:
        label = plural(masked.others, *rest) if masked.groups else "All together"
        lines.append(Line(label, masked.people_in_others))
    return Chart(title, "People", tuple(lines), MASKED if masked.others else "")


def _minutes(figures: AttendanceFigures) -> Section:
    known = dict(figures.minutes)
    last = max(known, default=0)
    steps = merge_steps(
        Step(first, first + STEP_MINUTES, known.get(first, 0))
        for first in range(0, last + STEP_MINUTES, STEP_MINUTES)
    )
    mean = figures.seconds // figures.people if figures.people else 0
    return Section(
        key="attendance",
        title="Minutes attended",
        facts=(("Counted on average (minutes:seconds)", minutes_and_seconds(mean)),),
        words=(
            "Seconds are counted once, whatever the number of devices; what lies before and "
            "after the session does not count.",
        ),
        charts=(
            Chart(
                "Minutes counted",
                "People",
                tuple(Line(_stretch(step, steps), step.people) for step in steps)
                if figures.people
                else (),
                f"Stretches with fewer than {FEW} people are joined with their neighbours.",
            ),
        ),
    )


def _stretch(step: Step, steps: tuple[Step, ...]) -> str:
    if step == steps[-1]:
        return f"{step.first} min or more"
    return f"{step.first} to below {step.beyond} min"


def _registered(db: DbSession, session_id: int) -> tuple[int, int, Counter[str], Counter[str]]:
    held = gave_up = 0
    countries: Counter[str] = Counter()
    professions: Counter[str] = Counter()
    kept = Registration.cancelled_at.is_(None)
    for is_held, country, profession, number in db.execute(
        select(kept, User.country, User.profession, func.count())
        .join(User, User.id == Registration.user_id)
        .where(Registration.session_id == session_id)
        .group_by(kept, User.country, User.profession)
    ):
        if not is_held:
            gave_up += number
            continue
        held += number
        countries[country] += number
        professions[profession] += number
    return held, gave_up, countries, professions


def _credited(
    db: DbSession, grant: AccreditationGrant
) -> tuple[Counter[Reason], Counter[str], Decimal]:
    reasons: Counter[Reason] = Counter()
    countries: Counter[str] = Counter()
    total = Decimal(0)
    for reason, country, number, credit in db.execute(
        select(CreditDecision.reason, User.country, func.count(), func.sum(CreditDecision.credit))
        .join(User, User.id == CreditDecision.user_id)
        .where(CreditDecision.grant_id == grant.id, CreditDecision.is_latest)
        .group_by(CreditDecision.reason, User.country)
    ):
        reasons[reason] += number
        if reason is Reason.OK:
            countries[country] += number
            total += Decimal(str(credit))
    return reasons, countries, total
