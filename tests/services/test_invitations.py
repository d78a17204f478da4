from datetime import timedelta

import pytest
from sqlalchemy import select

from tests import sending
from tests.builders import NOW, make_society, make_user
from webinar.db import DbSession
from webinar.domain.access import Role
from webinar.domain.letter import Dropped, Letter, RoleFacts
from webinar.domain.person import FormRefused
from webinar.models import Delivery, Society, User
from webinar.services import accounts, invitations, links, people
from webinar.services.invitations import CameAlready, HeldAlready
from webinar.services.links import LinkSpent
from webinar.services.roles import OutOfReach

LATER = NOW + timedelta(hours=1)


def invite(db: DbSession, society: Society | None = None, **words: str) -> User:
    typed = {"email": "eva@example.net", "name": "Dr Eva Lang", **words}
    return invitations.invite(
        db,
        **typed,
        role=Role.ORGANISER,
        society_id=society.id if society else None,
        actor_id=None,
        now=NOW,
    )


def mails(db: DbSession) -> list[Delivery]:
    return list(db.scalars(select(Delivery).order_by(Delivery.id)))


def test_a_stranger_is_invited_with_a_link_that_proves_the_mail(db: DbSession) -> None:
    society = make_society(db)

    user = invite(db, society)

    letter = sending.letter_for(db, mails(db)[0], now=LATER)
    assert isinstance(letter, Letter)
    assert letter.link is not None
    assert letter.role == RoleFacts(
        role="Organiser",
        words="plans series and sessions, names the faculty, publishes recordings",
        society=society.name,
    )
    link = accounts.use_link(db, letter.link.token, now=NOW + timedelta(days=6))
    assert (link.user, link.next_path, user.is_active) == (user, "/manage/", True)


def test_the_link_ends_after_seven_days(db: DbSession) -> None:
    invite(db)

    token = mails(db)[0].details["token"]

    with pytest.raises(LinkSpent):
        links.look_up(db, token, now=NOW + timedelta(days=7))


def test_who_has_an_account_is_told_without_a_link(db: DbSession) -> None:
    user = make_user(db, "eva@example.net")
    admin = make_user(db, name="Prof Elena Marchetti")

    invitations.give(db, user.id, Role.ORGANISER, society_id=None, actor_id=admin.id, now=NOW)

    letter = sending.letter_for(db, mails(db)[0], now=LATER)
    assert isinstance(letter, Letter)
    assert letter.link is None
    assert letter.role is not None
    assert letter.role.given_by == "Prof Elena Marchetti"


def test_the_same_role_is_not_given_twice(db: DbSession) -> None:
    invite(db)

    with pytest.raises(HeldAlready):
        invite(db)


@pytest.mark.parametrize(("typed", "field"), [({"name": "7"}, "name"), ({"email": "eva"}, "email")])
def test_what_cannot_be_is_said_beside_its_field(
    db: DbSession, typed: dict[str, str], field: str
) -> None:
    with pytest.raises(FormRefused) as refused:
        invite(db, **typed)

    assert list(refused.value.problems) == [field]


def test_a_moderator_belongs_to_a_society(db: DbSession) -> None:
    user = make_user(db)

    with pytest.raises(OutOfReach):
        invitations.give(db, user.id, Role.MODERATOR, society_id=None, actor_id=None, now=NOW)


def test_inviting_again_ends_the_first_link_and_its_mail(db: DbSession) -> None:
    user = invite(db)
    first = mails(db)[0].details["token"]

    invitations.resend(db, user.id, actor_id=None, now=LATER)

    with pytest.raises(LinkSpent):
        links.look_up(db, first, now=LATER)
    db.expire_all()
    old, new = mails(db)
    assert (old.due_at, old.dropped_because) == (None, "invited again")
    assert links.look_up(db, new.details["token"], now=LATER).user == user
    assert people.person(db, user.id).invited_until == LATER + timedelta(days=7)


def test_a_withdrawn_invitation_leaves_no_role_and_no_way_in(db: DbSession) -> None:
    user = invite(db)
    token = mails(db)[0].details["token"]

    invitations.withdraw(db, user.id, actor_id=None, now=LATER)

    with pytest.raises(LinkSpent):
        links.look_up(db, token, now=LATER)
    assert user.roles == {Role.PARTICIPANT}


def test_who_came_is_not_uninvited(db: DbSession) -> None:
    user = make_user(db, roles=(Role.ORGANISER,))

    with pytest.raises(CameAlready):
        invitations.withdraw(db, user.id, actor_id=None, now=NOW)


def test_a_mail_about_a_role_that_was_taken_is_not_sent(db: DbSession) -> None:
    user = invite(db)
    delivery = mails(db)[0]
    db.delete(user.grants[0])
    db.flush()

    assert sending.letter_for(db, delivery, now=LATER) == Dropped("the role was taken back")


def test_people_are_found_by_name_and_mail_and_listed_by_role(db: DbSession) -> None:
    organiser = make_user(db, "o@example.net", name="Dr Bea Roth", roles=(Role.ORGANISER,))
    reader = make_user(db, "anna@hospital.example", name="Dr Anna Keller")

    everybody = people.listed(db, limit=10)
    found = people.listed(db, words="keller HOSPITAL", limit=10)
    moderators = people.listed(db, role=Role.MODERATOR, limit=10)

    assert [person.user for person in everybody] == [organiser]
    assert [person.user for person in found] == [reader]
    assert moderators == []
