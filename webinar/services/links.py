"""Secrets in addresses: one-time links sent by mail. Only their hashes are kept."""

import hashlib
import secrets
from collections.abc import Iterable
from datetime import datetime, timedelta
from enum import StrEnum

from sqlalchemy import func, select, update

from webinar.db import DbSession
from webinar.domain.errors import Gone
from webinar.models import SignInLink, User

TOKEN_BYTES = 32  # 256 bit


class Purpose(StrEnum):
    """What pressing the button of the link does. Either proves that the mail arrived."""

    VERIFY = "verify"
    SIGN_IN = "sign-in"
    INVITATION = "invitation"
    DELETION = "deletion"


LASTS = {
    Purpose.VERIFY: timedelta(days=3),
    Purpose.SIGN_IN: timedelta(minutes=15),
    Purpose.INVITATION: timedelta(days=7),
    Purpose.DELETION: timedelta(minutes=15),
}


class LinkSpent(Gone):
    """The link was used, is too old, or never was one; a stranger learns no more than that."""


def new_token() -> str:
    """A secret for an address."""
    return secrets.token_urlsafe(TOKEN_BYTES)


def hash_of(token: str) -> str:
    """What is stored of a secret, and by what it is looked up: an index tells nothing by its time.

    Enough without salt or stretching, because the secret itself is random.
    """
    return hashlib.sha256(token.encode()).hexdigest()


def issue(
    db: DbSession, user: User, purpose: Purpose, *, now: datetime, next_path: str = ""
) -> tuple[SignInLink, str]:
    """A new link and its secret, which is not kept; `next_path` is where the button leads."""
    token = new_token()
    link = SignInLink(
        user=user,
        token_hash=hash_of(token),
        purpose=purpose.value,
        next_path=next_path[:300],
        created_at=now,
        expires_at=now + LASTS[purpose],
    )
    db.add(link)
    db.flush()
    return link, token


def find(db: DbSession, token: str) -> SignInLink | None:
    """The link of this secret, whatever has become of it."""
    return db.scalar(select(SignInLink).where(SignInLink.token_hash == hash_of(token)))


def look_up(db: DbSession, token: str, *, now: datetime) -> SignInLink:
    """The link, still good and not used up by looking; raises LinkSpent."""
    link = find(db, token)
    if link is None or link.used_at is not None or link.expires_at <= now:
        raise LinkSpent(
            "This link was used already, or it is too old. Each link works once: links for "
            "signing in last 15 minutes, links for a new account 3 days, invitations 7 days."
        )
    return link


def use(db: DbSession, token: str, *, now: datetime) -> SignInLink:
    """Use the link up; of two presses at once only one gets it. Raises LinkSpent."""
    link = look_up(db, token, now=now)
    used = db.execute(
        update(SignInLink)
        .where(SignInLink.id == link.id)
        .where(SignInLink.used_at.is_(None))
        .where(SignInLink.expires_at > now)
        .values(used_at=now)
        .returning(SignInLink.id)
        .execution_options(synchronize_session=False)
    ).scalar_one_or_none()
    if used is None:
        raise LinkSpent("This link was used a moment ago. Ask for a new one.")
    link.used_at = now
    return link


def open_until(db: DbSession, user_ids: Iterable[int], purpose: Purpose) -> dict[int, datetime]:
    """Until when the latest unused link of each person lasts, too old ones too."""
    found = db.execute(
        select(SignInLink.user_id, func.max(SignInLink.expires_at))
        .where(SignInLink.user_id.in_(list(user_ids)))
        .where(SignInLink.purpose == purpose.value)
        .where(SignInLink.used_at.is_(None))
        .group_by(SignInLink.user_id)
    )
    return {row[0]: row[1] for row in found}


def end_all(db: DbSession, user_id: int, *, now: datetime) -> None:
    """Make every unused link of the person worthless.

    They run out: `used_at` says that somebody had the mail and pressed, which proves who asks.
    """
    db.execute(
        update(SignInLink)
        .where(SignInLink.user_id == user_id)
        .where(SignInLink.used_at.is_(None))
        .where(SignInLink.expires_at > now)
        .values(expires_at=now)
    )
