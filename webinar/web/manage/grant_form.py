"""The form of a grant: as typed, and as values with a sentence beside each field that is wrong."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import date, datetime
from decimal import Decimal, InvalidOperation

from webinar.domain.attendance import ViewingMode
from webinar.domain.credit import GrantStatus
from webinar.domain.errors import DomainError
from webinar.domain.figures import plain_credit
from webinar.domain.policy_words import most_for
from webinar.domain.statements import (
    GrantedStatementNotPermitted,
    StatementNotPermitted,
    applied_statement,
    granted_statement,
)
from webinar.domain.timezone import AmbiguousWallTime, NonexistentWallTime, to_local, to_utc
from webinar.models import AccreditationGrant, Accreditor, WebinarSession
from webinar.services.accreditation import (
    EditionTooLong,
    GrantExists,
    ImpossibleApplicationDay,
    ImpossibleCredits,
    ImpossibleDecisionDay,
    NotInForce,
    ReferenceTooLong,
    RuleIsFixed,
    activity_of,
)
from webinar.services.accreditors import body_of, terms_of
from webinar.services.policy_versions import Rule
from webinar.services.societies import NameMissing, SlugTaken
from webinar.web.manage.series_form import day, wall_time

ANOTHER = "new"
STATES = {
    GrantStatus.APPLIED: "Applied for",
    GrantStatus.GRANTED: "Granted",
    GrantStatus.REFUSED: "Refused",
    GrantStatus.WITHDRAWN: "Withdrawn",
}
FIELD_OF: dict[type[DomainError], str] = {
    EditionTooLong: "edition",
    GrantedStatementNotPermitted: "statement_granted",
    GrantExists: "accreditor",
    ImpossibleApplicationDay: "applied_on",
    ImpossibleCredits: "credits",
    ImpossibleDecisionDay: "decided_on",
    NameMissing: "body_name",
    NotInForce: "rule",
    ReferenceTooLong: "reference",
    RuleIsFixed: "rule",
    SlugTaken: "body_short_name",
    StatementNotPermitted: "statement_applied",
}
NEEDS_NUMBER = "Give the credits as a number above 0: 0.5."


@dataclass(frozen=True)
class Typed:
    """What stands in the form, as text."""

    accreditor: str = ""
    body_name: str = ""
    body_short_name: str = ""
    body_unit: str = ""
    rule: str = ""
    credits: str = ""
    status: str = GrantStatus.APPLIED.value
    reference: str = ""
    edition: str = ""
    applied_on: str = ""
    decided_on: str = ""
    statement_applied: str = ""
    statement_granted: str = ""
    until_day: str = ""
    until_time: str = ""

    @classmethod
    def from_form(cls, form: Mapping[str, str]) -> "Typed":
        """What was sent; a field that was not sent is empty."""
        return cls(
            **{name: form.get(name, "").strip().replace("\r\n", "\n") for name in asdict(cls())}
        )

    @classmethod
    def proposed(cls, session: WebinarSession, rule: Rule, bodies: list[Accreditor]) -> "Typed":
        """What a new grant under this rule usually says."""
        seconds = int((session.ends_at - session.starts_at).total_seconds())
        most = most_for(rule.rules, seconds) or Decimal(0)
        body = body_of(rule, bodies)
        slug = body.slug if body else ""
        return cls(
            accreditor=slug or (bodies[0].slug if bodies else ANOTHER),
            rule=rule.key,
            credits=plain_credit(most) if most else "",
            edition=terms_of(body).edition if body else "",
            statement_applied=applied_statement(slug, activity_of(session)),
            statement_granted=permitted_when_granted(slug, session, most or None),
        )

    @classmethod
    def from_grant(cls, session: WebinarSession, grant: AccreditationGrant, rule: Rule) -> "Typed":
        """What the grant says now."""
        until = grant.credit_until and to_local(grant.credit_until, session.zone)
        return cls(
            accreditor=grant.accreditor.slug,
            rule=rule.key,
            credits=plain_credit(grant.credits_granted),
            status=grant.status.value,
            reference=grant.reference,
            edition=grant.edition,
            applied_on=grant.applied_on.isoformat() if grant.applied_on else "",
            decided_on=grant.decided_on.isoformat() if grant.decided_on else "",
            statement_applied=grant.statement_applied,
            statement_granted=grant.statement_granted,
            until_day=f"{until:%Y-%m-%d}" if until else "",
            until_time=f"{until:%H:%M}" if until else "",
        )

    @property
    def credits_typed(self) -> Decimal | None:
        """The credits as a number; a comma is a point."""
        try:
            number = Decimal(self.credits.replace(",", "."))
        except InvalidOperation:
            return None
        return number if number.is_finite() and 0 < number < 1_000_000 else None


@dataclass(frozen=True)
class Values:
    """The form understood; no `body` means a new one is named."""

    body: Accreditor | None
    rule: Rule
    credits: Decimal
    status: GrantStatus
    applied_on: date | None
    decided_on: date | None
    credit_until: datetime | None


def amount_of(grant: AccreditationGrant) -> str:
    """`CME 0.5`."""
    return f"{grant.accreditor.short_name} {plain_credit(grant.credits_granted)}"


def chip_words(grant: AccreditationGrant) -> str:
    """`CME 0.5 (applied for)`; what is granted needs no word."""
    if grant.status is GrantStatus.GRANTED or grant.status not in STATES:
        return amount_of(grant)
    return f"{amount_of(grant)} ({STATES[grant.status].lower()})"


def permitted_when_granted(body: str, session: WebinarSession, credits: Decimal | None) -> str:
    """The body's permitted words, or "" while nobody knows how many credits."""
    return granted_statement(body, activity_of(session), credits) if credits else ""


def read(
    typed: Typed, *, zone: str, rules: list[Rule], bodies: list[Accreditor]
) -> tuple[Values | None, dict[str, str]]:
    """The values, or for each field that is wrong a sentence."""
    errors: dict[str, str] = {}
    body = next((body for body in bodies if body.slug == typed.accreditor), None)
    if typed.accreditor == ANOTHER:
        errors |= _missing_names(typed)
    elif body is None:
        errors["accreditor"] = "Choose the body that gives the credit."
    rule = next((rule for rule in rules if rule.key == typed.rule), None)
    if rule is None:
        errors["rule"] = "Choose the rule that credit is decided by."
    credits = typed.credits_typed
    if credits is None:
        errors["credits"] = NEEDS_NUMBER
    status = next((state for state in STATES if state.value == typed.status), None)
    if status is None:
        errors["status"] = "Say where the decision stands."
    applied_on = _day(typed.applied_on, "applied_on", errors)
    decided_on = _day(typed.decided_on, "decided_on", errors)
    until = None
    if rule is not None and rule.rules.mode is ViewingMode.RECORDED:
        until = _until(typed, zone, errors)
    if rule is None or credits is None or status is None or errors:
        return None, errors
    return Values(body, rule, credits, status, applied_on, decided_on, until), {}


def field_of(refusal: DomainError) -> str:
    """The field a refusal belongs beside, or "" for the whole form."""
    return FIELD_OF.get(type(refusal), "")


def _missing_names(typed: Typed) -> dict[str, str]:
    errors = {}
    if not 0 < len(typed.body_name) <= 200:
        errors["body_name"] = "Give the name of the other body, at most 200 characters."
    if not 0 < len(typed.body_short_name) <= 40:
        errors["body_short_name"] = "Give its short name, at most 40 characters: CME."
    if not 0 < len(typed.body_unit) <= 40:
        errors["body_unit"] = "Say what one of its credits is called: credit, point, ECMEC."
    return errors


def _day(text: str, field: str, errors: dict[str, str]) -> date | None:
    found = day(text) if text else None
    if text and found is None:
        errors[field] = "Give the day as a date: 2026-09-03."
    return found


def _until(typed: Typed, zone: str, errors: dict[str, str]) -> datetime | None:
    if not typed.until_day and not typed.until_time:
        return None
    on, at = day(typed.until_day), wall_time(typed.until_time)
    if on is None:
        errors["until_day"] = "Give the last day as a date: 2027-05-26."
    if at is None:
        errors["until_time"] = "Give the hour as hours and minutes: 19:00."
    if on is None or at is None:
        return None
    try:
        return to_utc(datetime.combine(on, at), zone)
    except (NonexistentWallTime, AmbiguousWallTime) as refusal:
        errors["until_time"] = str(refusal)
        return None
