"""What is asked of the faculty before their session, until when, and when they are reminded."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum

from webinar.domain.person import FormRefused, one_line
from webinar.domain.session import FacultyPart
from webinar.domain.timezone import to_local

LONGEST_NAME = 200
LONGEST_BIOGRAPHY = 1500
LONGEST_FILENAME = 100
# A personal address still works this long after the session: slides are sent in late.
LINK_LASTS = timedelta(days=30)
# Nobody is late who was asked a moment ago.
DAYS_TO_ANSWER = 3
# Days before the session on which whoever still owes something is written to.
REMINDER_DAYS = (21, 10, 3)


class Need(StrEnum):
    """One thing a member of the faculty is asked for."""

    DISCLOSURE = "disclosure"
    CONSENT = "consent"
    BIOGRAPHY = "biography"
    PHOTO = "photo"
    SLIDES = "slides"


NEED_NAMES: dict[Need, str] = {
    Need.DISCLOSURE: "your disclosure",
    Need.CONSENT: "whether you may be recorded",
    Need.BIOGRAPHY: "a few words about you",
    Need.PHOTO: "your photo",
    Need.SLIDES: "your slides",
}
DUE_DAYS_BEFORE: dict[Need, int] = {
    Need.DISCLOSURE: 21,
    Need.CONSENT: 10,
    Need.BIOGRAPHY: 10,
    Need.PHOTO: 10,
    Need.SLIDES: 3,
}


class FileKind(StrEnum):
    """What a file of theirs is; a newer one takes the place of the one before."""

    PHOTO = "photo"
    SLIDES = "slides"


@dataclass(frozen=True)
class Words:
    """Who they are, as the audience reads it."""

    name: str
    affiliation: str = ""
    biography: str = ""


@dataclass(frozen=True)
class SentIn:
    """What is in from one person, for all their parts in a session."""

    parts: frozenset[FacultyPart]
    disclosure: bool = False
    consent: bool = False
    """They have answered, whatever they said."""
    biography: bool = False
    photo: bool = False
    slides: bool = False


@dataclass(frozen=True)
class Missing:
    """Something that is not in yet, and the day on which it is due, in the session's zone."""

    need: Need
    due_on: date

    @property
    def words(self) -> str:
        """As the person is told."""
        return NEED_NAMES[self.need]


ASKED: dict[Need, Callable[[SentIn], bool]] = {
    Need.DISCLOSURE: lambda sent: sent.disclosure,
    Need.CONSENT: lambda sent: sent.consent,
    Need.BIOGRAPHY: lambda sent: sent.biography,
    Need.PHOTO: lambda sent: sent.photo,
    # Only who presents has slides that somebody waits for.
    Need.SLIDES: lambda sent: sent.slides or FacultyPart.PRESENTER not in sent.parts,
}


def cleaned(words: Words) -> Words:
    """As it is stored; raises FormRefused naming every field that is wrong."""
    name, affiliation = one_line(words.name), one_line(words.affiliation)
    biography = words.biography.strip().replace("\r\n", "\n")
    problems = {}
    if not 2 <= len(name) <= LONGEST_NAME:
        problems["name"] = f"Give your name as it is announced, up to {LONGEST_NAME} letters."
    if len(affiliation) > LONGEST_NAME:
        problems["affiliation"] = f"Hospital and city in up to {LONGEST_NAME} letters, please."
    if len(biography) > LONGEST_BIOGRAPHY:
        problems["biography"] = (
            f"The audience reads up to {LONGEST_BIOGRAPHY} letters; these are {len(biography)}."
        )
    if problems:
        raise FormRefused(problems)
    return Words(name, affiliation, biography)


def safe_filename(sent: str, *, extension: str, otherwise: str) -> str:
    """The name under which a file is given back: no path, nothing invisible, the right ending."""
    last = one_line(sent).replace("\\", "/").rpartition("/")[2]
    stem = last.rpartition(".")[0] or last
    stem = "".join(sign for sign in stem if sign.isalnum() or sign in " -_(),+")
    stem = stem.strip()[:LONGEST_FILENAME].strip()
    return f"{stem or otherwise}.{extension}"


def still_missing(
    sent: SentIn, *, starts_at: datetime, zone: str, asked_at: datetime | None = None
) -> tuple[Missing, ...]:
    """What the person still owes, what is due first standing first.

    Who was asked late has a few days all the same, but never longer than until the session.
    """
    day = to_local(starts_at, zone).date()
    soonest = date.min
    if asked_at is not None:
        soonest = min(to_local(asked_at, zone).date() + timedelta(days=DAYS_TO_ANSWER), day)
    return tuple(
        Missing(need, max(day - timedelta(days=DUE_DAYS_BEFORE[need]), soonest))
        for need, is_in in ASKED.items()
        if not is_in(sent)
    )


def reminder_due(*, starts_at: datetime, invited_at: datetime, now: datetime) -> int | None:
    """How many days before the session the reminder is for that should be out by now, if any.

    Only the latest counts: a clock that stood still does not send two at once. Nobody is reminded
    of an invitation that came later than the reminder would have.
    """
    if now >= starts_at:
        return None
    reached = [days for days in REMINDER_DAYS if now >= starts_at - timedelta(days=days)]
    if not reached or invited_at > starts_at - timedelta(days=min(reached)):
        return None
    return min(reached)
