"""People: they register, prove their e-mail, sign in, change what they told us."""

from datetime import datetime

from email_validator import EmailNotValidError, validate_email
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from webinar.db import DbSession
from webinar.domain.errors import DomainError, NotFound
from webinar.domain.letter import MailKind
from webinar.domain.person import FormRefused, PersonDetails, cleaned, password_problem
from webinar.models import SignInLink, User
from webinar.services import audit, deliveries, links, passwords
from webinar.services.links import Purpose

CHOSEN_LATER = "password added"
"""The action in the audit trail of who set a password where there was none to type first."""


class AlreadyExists(DomainError):
    """For administrators only: a visitor is never told whether an e-mail is known."""

    status = 409


def email_key(email: str) -> str:
    """The e-mail as it is stored and compared; raises FormRefused. Asks no name server."""
    try:
        valid = validate_email(email.strip(), check_deliverability=False)
    except EmailNotValidError as error:
        raise FormRefused(
            {"email": "Check your e-mail: it looks like name@hospital.org."}
        ) from error
    key = valid.normalized.casefold()
    if len(key) > 254:
        raise FormRefused({"email": "This e-mail is too long; give another one."})
    return key


def register_person(
    db: DbSession,
    email: str,
    details: PersonDetails,
    *,
    now: datetime,
    password: str = "",
    next_path: str = "",
) -> None:
    """Open an account that waits for its e-mail to be proved; raises FormRefused, Busy.

    Whether the e-mail is known already, the caller cannot tell: the work and the answer are the
    same. Only the mail differs, and that is read by the owner.
    """
    key, details = _checked(email, details, password)
    password_hash = passwords.hash_of(password) if password else None
    user = _by_email(db, key)
    if user is None:
        user = _add(db, key, details, password_hash=password_hash, now=now)
    elif user.verified_at is None:
        # Two forms for one unproved e-mail may come from two people: neither one's password
        # may open what the other proves. The newer form describes the person.
        user.password_hash = None
        _describe(user, details)
    if user.verified_at is None:
        _send_link(db, user, Purpose.VERIFY, MailKind.VERIFY_EMAIL, next_path, now=now)
    else:
        _send_link(db, user, Purpose.SIGN_IN, MailKind.ALREADY_REGISTERED, next_path, now=now)


def send_link(
    db: DbSession, email: str, *, now: datetime, next_path: str = "", knows_password: bool = False
) -> None:
    """Mail a one-time link if somebody has this e-mail, else nothing; raises FormRefused.

    The caller's answer is the same in both cases. `knows_password`: who asks has just typed it.
    """
    user = _by_email(db, email_key(email))
    if user is None or user.erased_at is not None:
        return
    if user.verified_at is None:
        # A stranger may have opened the account with a password of theirs: only who knows it gets
        # the kind of link that keeps it (see use_link).
        purpose = Purpose.VERIFY if knows_password else Purpose.SIGN_IN
        _send_link(db, user, purpose, MailKind.VERIFY_EMAIL, next_path, now=now)
    else:
        _send_link(db, user, Purpose.SIGN_IN, MailKind.SIGN_IN_LINK, next_path, now=now)


def send_deletion_link(db: DbSession, user: User, next_path: str, *, now: datetime) -> None:
    """Mail a link whose press proves that they may delete the account: no other link does.

    Anybody may ask for a link to sign in that leads wherever they like.
    """
    _send_link(db, user, Purpose.DELETION, MailKind.SIGN_IN_LINK, next_path, now=now)


def use_link(db: DbSession, token: str, *, now: datetime) -> SignInLink:
    """Use a one-time link up: its person is proved and may be signed in; raises LinkSpent."""
    link = links.use(db, token, now=now)
    user = link.user
    if user.erased_at is not None:
        raise links.LinkSpent("This account does not exist any more.")
    if user.verified_at is None:
        if link.purpose != Purpose.VERIFY.value:
            forget_unproved_password(user)
        user.verified_at = now
    db.flush()
    return link


def person_with_password(db: DbSession, email: str, password: str) -> User | None:
    """The person, or None if the two do not belong together; raises Busy.

    The person may not have proved their e-mail yet: look at `is_active`.
    """
    try:
        user = _by_email(db, email_key(email))
    except FormRefused:
        user = None
    right = passwords.matches(user.password_hash if user else None, password)
    return user if right and user is not None and user.erased_at is None else None


def change_details(db: DbSession, user_id: int, details: PersonDetails, *, now: datetime) -> User:
    """Change name, country, profession, zone; raises FormRefused."""
    user = db.get_one(User, user_id)
    details = cleaned(details)
    before = user.name
    _describe(user, details)
    if user.name != before:
        # The name stands on certificates, so who changed it must be known.
        audit.write(
            db,
            actor_id=user.id,
            action="name changed",
            subject=f"user {user.id}",
            before={"name": before},
            after={"name": user.name},
            now=now,
        )
    return user


def change_password(db: DbSession, user_id: int, *, current: str, new: str, now: datetime) -> User:
    """Set a password and end every sign-in, also the caller's; raises FormRefused, Busy.

    `current` counts only if there is a password so far.
    """
    user = db.get_one(User, user_id)
    if problem := password_problem(new):
        raise FormRefused({"new_password": problem})
    if user.password_hash is not None and not passwords.matches(user.password_hash, current):
        raise FormRefused({"current_password": "This is not your current password."})
    is_first = user.password_hash is None
    user.password_hash = passwords.hash_of(new)
    end_sign_ins(db, user.id, now=now)
    if is_first:
        audit.write(db, actor_id=user.id, action=CHOSEN_LATER, subject=f"user {user.id}", now=now)
    return user


def end_sign_ins(db: DbSession, user_id: int, *, now: datetime) -> User:
    """Sign the person out everywhere and make links on their way worthless."""
    user = db.get_one(User, user_id, with_for_update=True, populate_existing=True)
    user.sign_in_generation += 1
    links.end_all(db, user.id, now=now)
    audit.write(db, actor_id=user.id, action="sign-ins ended", subject=f"user {user.id}", now=now)
    return user


def new_feed_token(db: DbSession, user_id: int, *, now: datetime) -> str:
    """A new secret for the personal calendar address; the old address ends. Shown once."""
    user = db.get_one(User, user_id)
    token = links.new_token()
    user.feed_token_hash = links.hash_of(token)
    audit.write(
        db, actor_id=user.id, action="calendar address made", subject=f"user {user.id}", now=now
    )
    return token


def add_person(db: DbSession, email: str, details: PersonDetails, *, now: datetime) -> User:
    """Add a person whose e-mail an administrator vouches for; raises FormRefused, AlreadyExists."""
    key, details = _checked(email, details, "")
    if _by_email(db, key) is not None:
        raise AlreadyExists(f"There is an account for {key} already.")
    user = _add(db, key, details, password_hash=None, now=now)
    user.verified_at = now
    audit.write(db, actor_id=None, action="person added", subject=f"user {user.id}", now=now)
    return user


def waiting_account(db: DbSession, email: str, name: str, *, now: datetime) -> User:
    """The person with this e-mail, or a new account that waits for its owner; raises FormRefused.

    For people somebody else names: faculty, organisers to be. Country and profession stay empty,
    and the e-mail is proved by the first link they press.
    """
    key = email_key(email)
    user = _by_email(db, key)
    if user is not None:
        forget_unproved_password(user)
        return user
    details = PersonDetails(
        name=name.strip() or key, country="", profession="", zone="Europe/Zurich"
    )
    return _add(db, key, details, password_hash=None, now=now)


def forget_unproved_password(user: User) -> None:
    """Before somebody is trusted: whoever chose a password had not proved the e-mail.

    Else a stranger could open an account for somebody's e-mail first, and wait for a role in it.
    """
    if user.verified_at is None:
        user.password_hash = None


def by_email(db: DbSession, email: str) -> User:
    """The person with this e-mail; raises FormRefused, NotFound."""
    key = email_key(email)
    user = _by_email(db, key)
    if user is None:
        raise NotFound(f"Nobody has the e-mail {key}.")
    return user


def sign_in_token(db: DbSession, user: User, *, now: datetime) -> str:
    """The secret of a one-time sign-in link that is handed over instead of mailed."""
    _, token = links.issue(db, user, Purpose.SIGN_IN, now=now)
    return token


def _checked(email: str, details: PersonDetails, password: str) -> tuple[str, PersonDetails]:
    """All that is wrong with a form at once, not one field after the other."""
    problems: dict[str, str] = {}
    key = ""
    try:
        key = email_key(email)
    except FormRefused as refusal:
        problems |= refusal.problems
    try:
        details = cleaned(details)
    except FormRefused as refusal:
        problems |= refusal.problems
    if password and (problem := password_problem(password)):
        problems["password"] = problem
    if problems:
        raise FormRefused(problems)
    return key, details


def _by_email(db: DbSession, key: str) -> User | None:
    return db.scalar(select(User).where(User.email == key))


def _add(
    db: DbSession, key: str, details: PersonDetails, *, password_hash: str | None, now: datetime
) -> User:
    user = User(
        email=key,
        name=details.name,
        country=details.country,
        profession=details.profession,
        zone=details.zone,
        password_hash=password_hash,
        created_at=now,
        sign_in_generation=0,
        grants=[],
    )
    try:
        with db.begin_nested():
            db.add(user)
    except IntegrityError:
        # Two forms at once: the other one was first, and nobody is told.
        return db.scalars(select(User).where(User.email == key)).one()
    return user


def _describe(user: User, details: PersonDetails) -> None:
    user.name = details.name
    user.country = details.country
    user.profession = details.profession
    user.zone = details.zone


def _send_link(
    db: DbSession,
    user: User,
    purpose: Purpose,
    kind: MailKind,
    next_path: str,
    *,
    now: datetime,
) -> None:
    link, token = links.issue(db, user, purpose, now=now, next_path=next_path)
    deliveries.queue(
        db,
        kind,
        user_id=user.id,
        subject_id=link.id,
        due_at=now,
        details={"token": token},
        now=now,
    )
