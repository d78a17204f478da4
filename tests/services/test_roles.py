from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import select

from tests.builders import NOW, make_society, make_user
from webinar.db import DbSession, open_db
from webinar.domain.access import Action, Role
from webinar.models import AuditEvent
from webinar.services import roles
from webinar.services.roles import LastAdministrator, OutOfReach


def test_a_role_for_one_society_is_none_for_another(db: DbSession) -> None:
    user, here, there = make_user(db), make_society(db), make_society(db)

    roles.give_role(db, user.id, Role.ORGANISER, society_id=here.id, actor_id=None, now=NOW)

    assert user.roles == {Role.PARTICIPANT, Role.ORGANISER}
    assert user.roles_for(here.id) == {Role.PARTICIPANT, Role.ORGANISER}
    assert user.roles_for(there.id) == {Role.PARTICIPANT}
    assert user.roles_for(None) == {Role.PARTICIPANT}
    assert user.societies_where(Action.PLAN_SESSIONS) == {here.id}


def test_a_role_given_everywhere_holds_for_every_society(db: DbSession) -> None:
    user, society = make_user(db, roles=(Role.ORGANISER,)), make_society(db)

    assert user.roles_for(society.id) == {Role.PARTICIPANT, Role.ORGANISER}
    assert user.societies_where(Action.PLAN_SESSIONS) is None
    assert user.societies_where(Action.DECIDE_CREDIT) == frozenset()


def test_a_role_is_taken_where_it_was_given_and_nowhere_else(db: DbSession) -> None:
    user, here, there = make_user(db), make_society(db), make_society(db)
    for society in (here, there):
        roles.give_role(db, user.id, Role.ORGANISER, society_id=society.id, actor_id=None, now=NOW)

    roles.take_role(db, user.id, Role.ORGANISER, society_id=here.id, actor_id=None, now=NOW)

    assert user.societies_where(Action.PLAN_SESSIONS) == {there.id}
    events = db.scalars(select(AuditEvent).order_by(AuditEvent.id)).all()
    assert [event.after["society"] for event in events if event.after] == [
        here.slug,
        there.slug,
        here.slug,
    ]


def test_a_role_given_twice_is_given_once(db: DbSession) -> None:
    user = make_user(db)

    for _ in range(2):
        roles.give_role(db, user.id, Role.ORGANISER, actor_id=None, now=NOW)

    assert len(user.grants) == 1


def test_administrators_are_administrators_everywhere(db: DbSession) -> None:
    user, society = make_user(db), make_society(db)

    with pytest.raises(OutOfReach):
        roles.give_role(
            db, user.id, Role.ADMINISTRATOR, society_id=society.id, actor_id=None, now=NOW
        )


def test_the_last_administrator_stays_one_while_another_has_not_come_yet(db: DbSession) -> None:
    user = make_user(db, roles=(Role.ADMINISTRATOR,))
    make_user(db, roles=(Role.ADMINISTRATOR,), verified=False)

    with pytest.raises(LastAdministrator):
        roles.take_role(db, user.id, Role.ADMINISTRATOR, actor_id=None, now=NOW)


def test_one_of_two_administrators_can_go(db: DbSession) -> None:
    user = make_user(db, roles=(Role.ADMINISTRATOR,))
    make_user(db, roles=(Role.ADMINISTRATOR,))

    roles.take_role(db, user.id, Role.ADMINISTRATOR, actor_id=None, now=NOW)

    assert user.roles == {Role.PARTICIPANT}


def test_staff_are_those_for_whom_there_is_something_to_manage(db: DbSession) -> None:
    staff = {role for role in Role if make_user(db, roles=(role,)).is_staff}

    assert staff == {Role.ADMINISTRATOR, Role.ORGANISER, Role.ACCREDITATION_OFFICER}


def test_no_password_of_a_stranger_opens_an_account_with_a_role(db: DbSession) -> None:
    user = make_user(db, verified=False)
    user.password_hash = "a stranger's, who registered with this e-mail first"

    roles.give_role(db, user.id, Role.ORGANISER, actor_id=None, now=NOW)

    assert user.password_hash is None


def test_what_two_gave_at_once_is_given_once(db: DbSession) -> None:
    user = make_user(db)
    db.commit()

    def give(_number: int) -> None:
        with open_db.begin() as other:
            roles.give_role(other, user.id, Role.ADMINISTRATOR, actor_id=None, now=NOW)

    with ThreadPoolExecutor(4) as people:
        list(people.map(give, range(4)))

    db.expire_all()
    assert len(user.grants) == 1
