"""Addresses that mail does not reach, and people who called our mail spam."""

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import delete, func, select

from webinar.db import DbSession
from webinar.domain.mail_marks import MarkedMail, whole_second
from webinar.domain.mail_wishes import AddressTrouble, WishSource
from webinar.models import Delivery, MailTrouble, User
from webinar.services import mail_wishes

HOLDS_BACK = (AddressTrouble.RETURNED, AddressTrouble.COMPLAINED)
# A full mailbox is emptied, a broken server mended. Who does neither so often reads no mail.
MAY_COME_BACK = 5


def of_person(db: DbSession, user_id: int) -> MailTrouble | None:
    """What is wrong with the person's address as it is now, or None."""
    return db.scalar(
        select(MailTrouble)
        .join(User, User.id == MailTrouble.user_id)
        .where(MailTrouble.user_id == user_id, MailTrouble.email == User.email)
    )


def held_back(db: DbSession, user_ids: Collection[int]) -> set[int]:
    """Those of them who get only what is necessary; one query for all."""
    return set(
        db.scalars(
            select(MailTrouble.user_id)
            .join(User, User.id == MailTrouble.user_id)
            .where(
                MailTrouble.user_id.in_(list(user_ids)),
                MailTrouble.email == User.email,
                MailTrouble.trouble.in_(HOLDS_BACK),
            )
        )
    )


def mail_of(db: DbSession, marked: MarkedMail) -> Delivery | None:
    """The mail that carries this mark; None if it is forgotten, even if another has its number."""
    delivery = db.get(Delivery, marked.delivery_id)
    if delivery is None or whole_second(delivery.created_at) != marked.created_at:
        return None
    return delivery


def came_back(
    db: DbSession, delivery: Delivery, *, is_lasting: bool, because: str, now: datetime
) -> AddressTrouble:
    """A mail could not be delivered after all; what that makes of the address."""
    is_news = delivery.returned_at is None
    delivery.returned_at = delivery.returned_at or now
    delivery.returned_because = because
    trouble = _of_now(db, delivery.user, now=now)
    # The same report may come twice; it counts once.
    trouble.returned += is_news
    trouble.detail = because
    trouble.last_at = now
    if trouble.trouble is not AddressTrouble.COMPLAINED and (
        is_lasting or trouble.returned >= MAY_COME_BACK
    ):
        trouble.trouble = AddressTrouble.RETURNED
    db.flush()
    return trouble.trouble


def refused(db: DbSession, user_id: int, *, because: str, now: datetime) -> None:
    """The mail server would not even take it: it says that nobody has this address."""
    trouble = _of_now(db, db.get_one(User, user_id), now=now)
    trouble.returned += 1
    trouble.detail = because
    trouble.last_at = now
    if trouble.trouble is not AddressTrouble.COMPLAINED:
        trouble.trouble = AddressTrouble.RETURNED
    db.flush()


def complained(db: DbSession, delivery: Delivery, *, because: str, now: datetime) -> None:
    """The person called the mail spam: nothing that can be refused is sent to them any more."""
    trouble = _of_now(db, delivery.user, now=now)
    trouble.trouble = AddressTrouble.COMPLAINED
    trouble.detail = because
    trouble.last_at = now
    mail_wishes.refuse_all(db, delivery.user_id, source=WishSource.COMPLAINT, now=now)
    db.flush()


def mended(db: DbSession, user_id: int) -> None:
    """The address works again: the person says so, or did what only its reader can do."""
    db.execute(delete(MailTrouble).where(MailTrouble.user_id == user_id))


def counts(db: DbSession) -> dict[AddressTrouble, int]:
    """How many people each trouble holds, as their addresses are now."""
    rows = db.execute(
        select(MailTrouble.trouble, func.count())
        .join(User, User.id == MailTrouble.user_id)
        .where(MailTrouble.email == User.email)
        .group_by(MailTrouble.trouble)
    )
    return {trouble: people for trouble, people in rows}  # noqa: C416 - rows are no pairs to mypy


def _of_now(db: DbSession, user: User, *, now: datetime) -> MailTrouble:
    """The row of the person's present address; what was wrong with another one is forgotten."""
    trouble = db.get(MailTrouble, user.id, with_for_update=True, populate_existing=True)
    if trouble is not None and trouble.email == user.email:
        return trouble
    if trouble is None:
        trouble = MailTrouble(user_id=user.id)
        db.add(trouble)
    trouble.trouble = AddressTrouble.DELAYED
    trouble.email = user.email
    trouble.returned = 0
    trouble.detail = ""
    trouble.since = now
    trouble.last_at = now
    db.flush()
    return trouble
