"""What may be said of an accreditation, before the decision and after it, in permitted words.

Sources: UEMS-EACCME, criteria for live educational events: before the decision the only text
allowed begins as below, and after it the accreditation statement is used word for word.
"""

import re
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from webinar.domain.credit import GrantStatus
from webinar.domain.errors import DomainError
from webinar.domain.figures import plain_credit
from webinar.domain.timezone import to_local
from webinar.domain.wording import LONG_MONTHS

EACCME = "eaccme"
APPLICATION_BEGINS = {
    EACCME: "An application has been made to the EACCME for CME accreditation of",
}
"""How a statement must begin while the body has not decided; bodies without a rule are missing."""

EACCME_APPLIED = "An application has been made to the EACCME for CME accreditation of {activity}."
EACCME_GRANTED = (
    "The {activity} has been accredited by the European Accreditation Council for Continuing "
    "Medical Education (EACCME) with {credits} European CME credits (ECMECs). Each medical "
    "specialist should claim only those hours of credit that he/she actually spent in the "
    "educational activity."
)


DAY = re.compile(rf"\b\d{{1,2}} (?:{'|'.join(LONG_MONTHS)}) \d{{4}}\b")
EACCME_GRANTED_SAYS = EACCME_GRANTED.removeprefix("The {activity} ")
"""What has to stand in the statement word for word, however the activity is called."""


class StatementNotPermitted(DomainError):
    """The body allows other words only while it has not decided."""


class GrantedStatementNotPermitted(DomainError):
    """The body has its statement used word for word once it has decided."""


@dataclass(frozen=True)
class Activity:
    """What a statement names: the session by title, place and day."""

    title: str
    starts_at: datetime
    zone: str

    @property
    def day(self) -> str:
        """26 November 2026."""
        day = to_local(self.starts_at, self.zone).date()
        return f"{day.day} {LONG_MONTHS[day.month - 1]} {day.year}"

    @property
    def words(self) -> str:
        """The title, the place, the day."""
        return f"“{self.title}”, online, {self.day}"


def applied_statement(body: str, activity: Activity) -> str:
    """The permitted words while the body (by its short name in addresses) decides, or ""."""
    if body != EACCME:
        return ""
    return EACCME_APPLIED.format(activity=f"the webinar {activity.words}")


def granted_statement(body: str, activity: Activity, credits: Decimal) -> str:
    """The permitted words once the body has granted so many credits, or ""."""
    if body != EACCME:
        return ""
    return EACCME_GRANTED.format(
        activity=f"webinar {activity.words}", credits=plain_credit(credits)
    )


def in_step(text: str, *, was: str, now: str) -> str:
    """The permitted words of now, if `text` is still those that were put into the form."""
    return now if text == was else text


def for_another(text: str, activity: Activity, other: Activity) -> str:
    """The text about one activity made to speak of the other: its title and its day."""
    return text.replace(activity.title, other.title).replace(activity.day, other.day)


def shown_statement(status: GrantStatus, *, applied: str, granted: str) -> str:
    """The words that may stand in public: of a refusal, or what was withdrawn, none."""
    if status is GrantStatus.APPLIED:
        return applied
    return granted if status is GrantStatus.GRANTED else ""


def names_activity(text: str, activity: Activity) -> bool:
    """True if words of one's own name the session as it is now: its title, and no other day."""
    days = {match.group() for match in DAY.finditer(text)}
    return activity.title in text and days <= {activity.day}


def ensure_permitted(body: str, text: str) -> None:
    """Raise StatementNotPermitted unless a statement before the decision begins as it must."""
    begins = APPLICATION_BEGINS.get(body, "")
    if text and not text.startswith(begins):
        raise StatementNotPermitted(f"Before the decision the statement has to begin: “{begins} …”")


def ensure_permitted_once_granted(body: str, text: str, credits: Decimal) -> None:
    """Raise GrantedStatementNotPermitted unless the body's words stand in it, with the credits.

    Sentences may follow, such as those on conversion that some bodies have.
    """
    if body != EACCME or not text:
        return
    says = EACCME_GRANTED_SAYS.format(credits=plain_credit(credits))
    if says not in text:
        raise GrantedStatementNotPermitted(f"Once granted the statement has to say: “… {says}”")
