"""ACCME's Program and Activity Reporting System (PARS): an activity, and who completed it.

What PARS asks about an activity and about a learner is ACCME's own list; which element of its
XML holds what could be verified in part only: docs/registries.md says where.
"""

import re
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from webinar.domain.attendance import ViewingMode
from webinar.domain.errors import DomainError

KIND = "PARS"
"""Of the identifier a person gives for it: their number at a state's licensing board."""
BIRTHDAY = re.compile(r"(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])")
DAYS = (31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)
QUARTERS = Decimal("0.25")
# Licensing boards of the states, the District of Columbia and the territories (USPS codes).
STATES = frozenset(
    [
        "AL",
        "AK",
        "AZ",
        "AR",
        "CA",
        "CO",
        "CT",
        "DE",
        "DC",
        "FL",
        "GA",
        "GU",
        "HI",
        "ID",
        "IL",
        "IN",
        "IA",
        "KS",
        "KY",
        "LA",
        "ME",
        "MD",
        "MA",
        "MI",
        "MN",
        "MS",
        "MO",
        "MP",
        "MT",
        "NE",
        "NV",
        "NH",
        "NJ",
        "NM",
        "NY",
        "NC",
        "ND",
        "OH",
        "OK",
        "OR",
        "PA",
        "PR",
        "RI",
        "SC",
        "SD",
        "TN",
        "TX",
        "UT",
        "VT",
        "VA",
        "VI",
        "WA",
        "WV",
        "WI",
        "WY",
    ]
)
ACTIVITY_TYPES = {
    ViewingMode.LIVE: "Internet Live Activity",
    ViewingMode.RECORDED: "Internet Enduring Material",
    ViewingMode.FACULTY: "Internet Live Activity",
}


class MalformedBirthday(DomainError):
    """Not a month and a day."""


@dataclass(frozen=True, kw_only=True)
class Activity:
    """What PARS is told about an activity once it is closed."""

    activity_id: str
    """The provider's own number of it: the grant's reference, else the session's."""
    title: str
    mode: ViewingMode
    starts_on: date
    ends_on: date
    credits: Decimal
    description: str
    provider: str
    physicians: int
    others: int
    supporters: tuple[str, ...]
    """Companies that gave money or things, with the amount; none is none."""


@dataclass(frozen=True, kw_only=True)
class Learner:
    """One completion. Nothing else about the person leaves."""

    given_name: str
    family_name: str
    birthday: str
    """MM-DD, without a year."""
    state: str
    licence: str
    completed_on: date
    credits: Decimal


def activity_problems(activity: Activity) -> tuple[str, ...]:
    """Why the activity cannot leave like this, each as a sentence."""
    problems = []
    if not activity.title.strip():
        problems.append("The activity has no title.")
    if not activity.description.strip():
        problems.append("The activity has no description: write an abstract.")
    if activity.ends_on < activity.starts_on:
        problems.append("The activity ends before it begins.")
    if activity.credits <= 0 or activity.credits % QUARTERS:
        problems.append("AMA PRA credit goes in quarters of a credit, from 0.25 on.")
    return tuple(problems)


def learner_problems(learner: Learner, *, today: date) -> tuple[str, ...]:
    """Why this row cannot leave, each as a sentence."""
    problems = []
    if not learner.given_name or not learner.family_name:
        problems.append("PARS asks for a first and a last name; the account has one word.")
    if not _is_birthday(learner.birthday):
        problems.append("The month and day of birth are missing.")
    if learner.state not in STATES:
        problems.append("The state of the licence is missing.")
    if not learner.licence:
        problems.append("The number of the licence is missing.")
    if learner.credits <= 0 or learner.credits % QUARTERS:
        problems.append("AMA PRA credit goes in quarters of a credit.")
    if learner.completed_on > today:
        problems.append("The day of completion lies ahead.")
    if learner.completed_on.year < today.year - 1:
        problems.append("PARS takes completions of this year and the last one.")
    return tuple(problems)


def read_birthday(text: str) -> str:
    """`05-31` from what was typed; MalformedBirthday if there is no such day."""
    cleaned = text.strip()
    if not _is_birthday(cleaned):
        raise MalformedBirthday("Write the month and day you were born as 05-31, without a year.")
    return cleaned


def split_name(name: str) -> tuple[str, str]:
    """First and last name, as well as spaces tell them; titles in front are left out."""
    words = [word for word in name.split() if word.rstrip(".").lower() not in TITLES]
    return (" ".join(words[:-1]), words[-1]) if words else ("", "")


TITLES = frozenset({"dr", "prof", "professor", "pd", "priv.-doz", "med", "mr", "mrs", "ms"})


def _is_birthday(text: str) -> bool:
    found = BIRTHDAY.fullmatch(text)
    return found is not None and int(found[2]) <= DAYS[int(found[1]) - 1]
