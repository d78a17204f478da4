"""Lists for registries: who may be on them, what is new since the last, what holds one back."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

from sqlalchemy import and_, select

from webinar.db import DbSession
from webinar.domain import eiv, esmo_mora, pars
from webinar.domain.credit import Reason
from webinar.domain.eiv import Batch, Entry, Operation
from webinar.domain.figures import plain_credit
from webinar.domain.registries import RegistryKind
from webinar.domain.timezone import to_local
from webinar.models import (
    AccreditationGrant,
    AttendanceSummary,
    Certificate,
    CreditDecision,
    Identifier,
    RegistryExport,
    User,
    WebinarSession,
)
from webinar.services.grants import rules_of
from webinar.services.reports import post_event
from webinar.services.reports.attendance_figures import report_from_summaries

IDENTIFIERS = {
    RegistryKind.EIV: "EFN",
    RegistryKind.PARS_LEARNERS: pars.KIND,
    RegistryKind.ESMO_MORA: esmo_mora.KIND,
}
COLUMNS: dict[RegistryKind, tuple[str, ...]] = {
    RegistryKind.EIV: ("VNR", "EFN", "Attended on", "Passed the test"),
    RegistryKind.PARS_ACTIVITY: (
        "Activity ID",
        "Activity title",
        "Activity type",
        "Start date",
        "End date",
        "AMA PRA Category 1 credits",
        "Description",
        "Providership",
        "Physician learners",
        "Other learners",
        "Commercial support received",
        "Commercial support",
    ),
    RegistryKind.PARS_LEARNERS: (
        "Activity ID",
        "First name",
        "Last name",
        "Birth month",
        "Birth day",
        "State of licensure",
        "State licence ID",
        "Completion date",
        "Credits",
    ),
    RegistryKind.ESMO_MORA: (
        "Event",
        "Name",
        "Country",
        "ESMO number",
        "Points",
        "Attended on",
        "Certificate",
    ),
}
Rows = Sequence[Sequence[str]]
PHYSICIANS = frozenset({"physician", "resident"})


@dataclass(frozen=True)
class HeldBack:
    """A person who is not on the list, and why, a sentence each."""

    name: str
    problems: tuple[str, ...]


@dataclass(frozen=True)
class Prepared:
    """A list as it would leave now."""

    kind: RegistryKind
    operation: Operation
    rows: tuple[tuple[str, ...], ...]

    @property
    def columns(self) -> tuple[str, ...]:
        return COLUMNS[self.kind]


@dataclass(frozen=True)
class Looked:
    """What came of looking through everybody who earned credit."""

    lists: tuple[Prepared, ...]
    held_back: tuple[HeldBack, ...]
    problems: tuple[str, ...]
    """With the list as a whole: nothing leaves until they are mended."""


@dataclass(frozen=True)
class _Earner:
    name: str
    country: str
    value: str
    is_decided: bool
    details: dict[str, str]
    credit: Decimal
    attended_on: date
    certificate: str


def prepare(
    db: DbSession,
    session: WebinarSession,
    grant: AccreditationGrant,
    kind: RegistryKind,
    *,
    now: datetime,
) -> Looked:
    """The list checked by its rules, row by row; nothing is written."""
    if kind is RegistryKind.EIV:
        return _eiv(db, session, grant)
    if kind is RegistryKind.PARS_ACTIVITY:
        return _pars_activity(db, session, grant)
    if kind is RegistryKind.PARS_LEARNERS:
        return _pars_learners(db, session, grant, today=to_local(now, session.zone).date())
    return _esmo_mora(db, session, grant)


def fitting(grant: AccreditationGrant) -> list[RegistryKind]:
    """The lists this grant's body asks for; all of them if it cannot be told."""
    rules = rules_of(grant.policy)
    if rules.requires_identifier == IDENTIFIERS[RegistryKind.EIV]:
        return [RegistryKind.EIV]
    if grant.policy.name.startswith("ama"):
        return [RegistryKind.PARS_ACTIVITY, RegistryKind.PARS_LEARNERS]
    if grant.policy.name.startswith("esmo"):
        return [RegistryKind.ESMO_MORA]
    return list(RegistryKind)


def _eiv(db: DbSession, session: WebinarSession, grant: AccreditationGrant) -> Looked:
    problems: tuple[str, ...] = ()
    vnr = "".join(grant.reference.split())
    if not eiv.is_vnr(vnr):
        problems = (
            "The reference of the grant is not a VNR: 19 digits that begin with 276, the last "
            "of which checks the others. Correct it under “Credit”.",
        )
    passed = rules_of(grant.policy).test_required
    entries, held_back = [], []
    people = list(_earners(db, session, grant, RegistryKind.EIV))
    shared = {efn for efn, times in Counter(one.value for one in people).items() if times > 1}
    for person in people:
        why: tuple[str, ...] = ()
        if not person.value:
            why = (
                "Has given no EFN with consent to pass it on: nothing is decided until they do, or "
                "they hand in a certificate of attendance themselves.",
            )
        elif not eiv.is_efn(person.value):
            why = ("The EFN is mistyped: its last digit does not check the others.",)
        elif person.value in shared:
            why = ("Somebody else here gave the same EFN: ask both to look at theirs.",)
        elif not person.is_decided:
            why = ("Has given an EFN since; credit is decided within minutes.",)
        if why:
            held_back.append(HeldBack(person.name, why))
        else:
            entries.append(Entry(person.value, person.attended_on, passed))
    lists = tuple(
        Prepared(
            RegistryKind.EIV,
            batch.operation,
            tuple(
                (vnr, entry.efn, entry.attended_on.isoformat(), _yes(entry.has_passed_test))
                for entry in batch.entries
            ),
        )
        for batch in eiv.difference(_sent(db, grant), entries)
    )
    return Looked(lists, tuple(held_back), problems)


def _pars_activity(db: DbSession, session: WebinarSession, grant: AccreditationGrant) -> Looked:
    words = post_event.words_of(db, grant)
    learners = report_from_summaries(db, session.id, grant.mode)
    physicians = sum(people for key, people in learners.professions if key in PHYSICIANS)
    activity = pars.Activity(
        activity_id=grant.reference or session.public_id,
        title=session.title,
        mode=grant.mode,
        starts_on=to_local(session.starts_at, session.zone).date(),
        ends_on=to_local(session.ends_at, session.zone).date(),
        credits=grant.credits_granted,
        description=session.abstract,
        provider=session.society.name,
        physicians=physicians,
        others=learners.people - physicians,
        supporters=tuple(line for line in words.sponsors.splitlines() if line.strip()),
    )
    row = (
        activity.activity_id,
        activity.title,
        pars.ACTIVITY_TYPES[activity.mode],
        activity.starts_on.isoformat(),
        activity.ends_on.isoformat(),
        plain_credit(activity.credits),
        " ".join(activity.description.split()),
        activity.provider,
        str(activity.physicians),
        str(activity.others),
        _yes(bool(activity.supporters)),
        "; ".join(activity.supporters),
    )
    prepared = Prepared(RegistryKind.PARS_ACTIVITY, Operation.REPLACE, (row,))
    return Looked((prepared,), (), pars.activity_problems(activity))


def _pars_learners(
    db: DbSession, session: WebinarSession, grant: AccreditationGrant, *, today: date
) -> Looked:
    rows, held_back = [], []
    for person in _earners(db, session, grant, RegistryKind.PARS_LEARNERS):
        given, family = pars.split_name(person.name)
        learner = pars.Learner(
            given_name=person.details.get("given", given),
            family_name=person.details.get("family", family),
            birthday=person.details.get("birth", ""),
            state=person.details.get("state", ""),
            licence=person.value,
            completed_on=person.attended_on,
            credits=person.credit,
        )
        why = pars.learner_problems(learner, today=today)
        if not person.value:
            why = ("Has not agreed to be reported to PARS.",)
        elif not person.is_decided:
            continue
        if why:
            held_back.append(HeldBack(person.name, why))
            continue
        month, day = learner.birthday.split("-")
        rows.append(
            (
                grant.reference or session.public_id,
                learner.given_name,
                learner.family_name,
                month,
                day,
                learner.state,
                learner.licence,
                learner.completed_on.isoformat(),
                plain_credit(learner.credits),
            )
        )
    return Looked(_whole(RegistryKind.PARS_LEARNERS, rows), tuple(held_back), ())


def _esmo_mora(db: DbSession, session: WebinarSession, grant: AccreditationGrant) -> Looked:
    rows, held_back = [], []
    for person in _earners(db, session, grant, RegistryKind.ESMO_MORA):
        credited = esmo_mora.Credited(
            name=person.name,
            country=person.country,
            number=person.value,
            points=person.credit,
            attended_on=person.attended_on,
            certificate=person.certificate,
        )
        why = esmo_mora.problems_of(credited)
        if not person.value:
            why = ("Has not agreed to be named to ESMO.",)
        elif not person.is_decided:
            continue
        if why:
            held_back.append(HeldBack(person.name, why))
            continue
        rows.append(
            (
                grant.reference or session.title,
                credited.name,
                credited.country,
                credited.number,
                plain_credit(credited.points),
                credited.attended_on.isoformat(),
                credited.certificate,
            )
        )
    return Looked(_whole(RegistryKind.ESMO_MORA, rows), tuple(held_back), ())


def _whole(kind: RegistryKind, rows: Sequence[tuple[str, ...]]) -> tuple[Prepared, ...]:
    return (Prepared(kind, Operation.REPLACE, tuple(rows)),) if rows else ()


def _earners(
    db: DbSession, session: WebinarSession, grant: AccreditationGrant, kind: RegistryKind
) -> Iterator[_Earner]:
    """Everybody with credit, or without for want of a number; with the one they may pass on."""
    held_on = to_local(session.starts_at, session.zone).date()
    wanted = IDENTIFIERS[kind]
    rows = db.execute(
        select(
            User.name,
            User.country,
            Identifier.value,
            Identifier.details,
            CreditDecision.credit,
            CreditDecision.reason,
            AttendanceSummary.last_at,
            Certificate.number,
        )
        .join(User, User.id == CreditDecision.user_id)
        .outerjoin(Identifier, and_(Identifier.user_id == User.id, Identifier.kind == wanted))
        .outerjoin(
            AttendanceSummary,
            and_(
                AttendanceSummary.session_id == session.id,
                AttendanceSummary.user_id == User.id,
                AttendanceSummary.mode == grant.mode,
            ),
        )
        .outerjoin(
            Certificate,
            and_(
                Certificate.session_id == session.id,
                Certificate.user_id == User.id,
                Certificate.superseded_by.is_(None),
                Certificate.revoked_at.is_(None),
            ),
        )
        .where(
            CreditDecision.grant_id == grant.id,
            CreditDecision.is_latest,
            # Who gave no number is not decided upon, where the rule asks for one.
            CreditDecision.reason.in_((Reason.OK, Reason.PENDING_IDENTIFIER)),
        )
        .order_by(User.name, User.id)
    )
    for name, country, value, details, credit, reason, last_at, number in rows:
        is_recorded = grant.mode.value == "recorded" and last_at is not None
        yield _Earner(
            name=name,
            country=country,
            value=value or "",
            is_decided=reason is Reason.OK,
            details={key: str(text) for key, text in (details or {}).items()},
            credit=credit,
            attended_on=to_local(last_at, session.zone).date() if is_recorded else held_on,
            certificate=number or "",
        )


def _sent(db: DbSession, grant: AccreditationGrant) -> list[Batch]:
    """What EIV was told under this grant, in the order in which it was told."""
    exports = db.scalars(
        select(RegistryExport)
        .where(
            RegistryExport.grant_id == grant.id,
            RegistryExport.kind == RegistryKind.EIV,
            RegistryExport.sent_at.is_not(None),
        )
        .order_by(RegistryExport.sent_at, RegistryExport.id)
    )
    return [
        Batch(
            Operation(export.operation),
            tuple(
                Entry(efn, date.fromisoformat(day), passed == _yes(True))
                for _, efn, day, passed in export.rows
            ),
        )
        for export in exports
    ]


def _yes(value: bool) -> str:
    return "yes" if value else "no"
