"""Mails about an account: one-time links, a role given."""

from datetime import datetime

from webinar.db import DbSession
from webinar.domain.access import ROLE_NAMES, ROLE_WORDS
from webinar.domain.letter import Dropped, LinkFacts, RoleFacts
from webinar.models import Delivery, SignInLink, Society, UserRole
from webinar.services import links
from webinar.services.writing.facts import Outcome, given_up, letter_to


def one_time_link(db: DbSession, delivery: Delivery, now: datetime) -> Outcome:
    """The link that verifies an address or signs in."""
    link = db.get(SignInLink, delivery.subject_id)
    token = delivery.details.get("token", "")
    if link is None or not token or link.used_at is not None or link.expires_at <= now:
        return Dropped("the link is used or too old")
    return letter_to(delivery, link=LinkFacts(token=str(token), expires_at=link.expires_at))


def role_invited(db: DbSession, delivery: Delivery, now: datetime) -> Outcome:
    """What the person may do now, with a link if the account is new."""
    if (no := given_up(delivery)) is not None:
        return no
    grant = db.get(UserRole, delivery.subject_id)
    if grant is None or grant.user_id != delivery.user_id:
        return Dropped("the role was taken back")
    token, link = str(delivery.details.get("token", "")), None
    if token:
        found = links.find(db, token)
        if found is None or found.used_at is not None or found.expires_at <= now:
            return Dropped("the link is used or too old")
        link = LinkFacts(token=token, expires_at=found.expires_at)
    society = db.get_one(Society, grant.society_id) if grant.society_id is not None else None
    facts = RoleFacts(
        role=ROLE_NAMES[grant.role],
        words=ROLE_WORDS[grant.role],
        society=society.name if society else "",
        given_by=str(delivery.details.get("given_by", "")),
    )
    return letter_to(delivery, link=link, role=facts)
