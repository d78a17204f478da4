"""Who is in the demonstration: five people to try, and an audience. Nobody has a password."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import select, update

from webinar.db import DbSession
from webinar.demo.programme import Attendee, Programme
from webinar.domain.access import Role
from webinar.domain.person import PersonDetails
from webinar.models import Delivery, User
from webinar.services import accounts, links, roles, troubles
from webinar.services.links import Purpose

MAIL_DOMAIN = "demo.example.org"
# Long enough to try the demonstration for a day; each link still works once.
SIGN_IN_LASTS = timedelta(days=1)
# Whether it is for good, and what the mail server said (RFC 3463 gives the codes).
CAME_BACK = (
    (True, "smtp; 550 5.1.1 no such mailbox here"),
    (False, "smtp; 452 4.2.2 the mailbox is full"),
)


@dataclass(frozen=True)
class Part:
    """One of the people to try: `key` is the name before the @."""

    key: str
    title: str
    name: str
    country: str
    profession: str
    zone: str
    roles: tuple[Role, ...] = ()

    @property
    def email(self) -> str:
        """The address by which the person is found again."""
        return f"{self.key}@{MAIL_DOMAIN}"


PARTICIPANT = Part(
    "participant", "Participant", "Dr Ελένη Βασιλείου", "GR", "physician", "Europe/Athens"
)
FACULTY = Part(
    "faculty",
    "Presenter and moderator",
    "Prof Tereza Nováková",
    "CZ",
    "physician",
    "Europe/Prague",
    (Role.PRESENTER, Role.MODERATOR),
)
ORGANISER = Part(
    "organiser",
    "Organiser",
    "Chiara Bernasconi",
    "CH",
    "other",
    "Europe/Zurich",
    (Role.ORGANISER,),
)
OFFICER = Part(
    "officer",
    "Accreditation officer",
    "Dr Matthias Lindqvist",
    "SE",
    "physician",
    "Europe/Stockholm",
    (Role.ACCREDITATION_OFFICER,),
)
ADMINISTRATOR = Part(
    "administrator",
    "Administrator",
    "Noor de Wit",
    "NL",
    "other",
    "Europe/Amsterdam",
    (Role.ADMINISTRATOR,),
)
PARTS = (PARTICIPANT, FACULTY, ORGANISER, OFFICER, ADMINISTRATOR)


@dataclass(frozen=True, kw_only=True)
class Cast:
    """The accounts, once they are there."""

    participant: User
    faculty: User
    organiser: User
    officer: User
    administrator: User
    audience: tuple[User, ...]


def invite_everybody(db: DbSession, programme: Programme, *, now: datetime) -> Cast:
    """Open all accounts, with their roles."""
    users = {part.key: _add(db, part, now=now) for part in PARTS}
    audience = [
        _add(db, _in_the_audience(attendee, number), now=now)
        for number, attendee in enumerate(programme.attendees, 1)
    ]
    return Cast(
        participant=users[PARTICIPANT.key],
        faculty=users[FACULTY.key],
        organiser=users[ORGANISER.key],
        officer=users[OFFICER.key],
        administrator=users[ADMINISTRATOR.key],
        audience=tuple(audience),
    )


def person(db: DbSession, part: Part) -> User:
    """The account of one of the people to try; raises NotFound."""
    return accounts.by_email(db, part.email)


def fresh_sign_in(db: DbSession, part: Part, *, next_path: str, now: datetime) -> str:
    """The secret of a new one-time link; the ones printed before end."""
    user = person(db, part)
    links.end_all(db, user.id, now=now)
    link, token = links.issue(db, user, Purpose.SIGN_IN, now=now, next_path=next_path)
    link.expires_at = now + SIGN_IN_LASTS
    db.flush()
    return token


def settle_mail(db: DbSession, *, now: datetime) -> None:
    """What these people would have been mailed by now counts as sent: nobody reads it."""
    audience = select(User.id).where(User.email.endswith(f"@{MAIL_DOMAIN}"))
    db.execute(
        update(Delivery)
        .where(Delivery.user_id.in_(audience), Delivery.due_at <= now)
        .values(sent_at=Delivery.due_at, due_at=None, attempts=1, details={})
        .execution_options(synchronize_session=False)
    )


def lose_mails(db: DbSession, audience: Sequence[User], *, now: datetime) -> None:
    """The last mail of two people comes back: one mailbox is gone, the other one is full."""
    for reader, (is_lasting, because) in zip(audience, CAME_BACK, strict=False):
        last = db.scalars(
            select(Delivery)
            .where(Delivery.user_id == reader.id, Delivery.sent_at.is_not(None))
            # Mails to everybody leave in one moment, and one of them has to be the last.
            .order_by(Delivery.sent_at.desc(), Delivery.id.desc())
            .limit(1)
        ).one()
        troubles.came_back(
            db, last, is_lasting=is_lasting, because=because, now=last.sent_at or now
        )


def _in_the_audience(attendee: Attendee, number: int) -> Part:
    return Part(
        f"audience-{number:02d}",
        "Audience",
        attendee.name,
        attendee.country,
        attendee.profession,
        attendee.zone,
    )


def _add(db: DbSession, part: Part, *, now: datetime) -> User:
    details = PersonDetails(
        name=part.name, country=part.country, profession=part.profession, zone=part.zone
    )
    user = accounts.add_person(db, part.email, details, now=now)
    for role in part.roles:
        roles.give_role(db, user.id, role, actor_id=None, now=now)
    return user
