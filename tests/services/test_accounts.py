from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import select

from tests.builders import NOW, make_user
from webinar.db import DbSession
from webinar.domain.access import Role
from webinar.domain.errors import NotFound
from webinar.domain.person import FormRefused, PersonDetails
from webinar.models import AuditEvent, Delivery, SignInLink, User
from webinar.services import accounts, links, roles
from webinar.services.accounts import AlreadyExists
from webinar.services.links import LinkSpent
from webinar.services.roles import LastAdministrator

ANNA = PersonDetails(
    name="Dr Anna  Keller ", country="CH", profession="physician", zone="Europe/Zurich"
)
PASSWORD = "six words make a good one"


def only_user(db: DbSession) -> User:
    return db.scalars(select(User)).one()


def mails(db: DbSession) -> list[tuple[str, str]]:
    rows = db.scalars(select(Delivery).order_by(Delivery.id))
    return [(row.kind, str(row.details["token"])) for row in rows]


def register(db: DbSession, email: str = "anna@example.net", *, password: str = "") -> str:
    """Register Anna and return the secret in her mail."""
    accounts.register_person(db, email, ANNA, password=password, next_path="/my/", now=NOW)
    return mails(db)[-1][1]


def test_a_new_person_waits_for_the_proof_of_their_email(db: DbSession) -> None:
    token = register(db, "Anna@EXAMPLE.net", password=PASSWORD)

    user = only_user(db)
    link = db.scalars(select(SignInLink)).one()
    assert (user.email, user.name, user.verified_at) == ("anna@example.net", "Dr Anna Keller", None)
    assert link.token_hash == links.hash_of(token)
    assert link.expires_at == NOW + timedelta(days=3)
    assert [kind for kind, _ in mails(db)] == ["verify_email"]
    assert len(token) == 43


def test_the_link_proves_the_email_once(db: DbSession) -> None:
    token = register(db, password=PASSWORD)

    link = accounts.use_link(db, token, now=NOW + timedelta(hours=1))

    user = only_user(db)
    assert (link.user, link.next_path) == (user, "/my/")
    assert user.verified_at == NOW + timedelta(hours=1)
    assert accounts.person_with_password(db, "ANNA@example.net", PASSWORD) == user
    with pytest.raises(LinkSpent):
        accounts.use_link(db, token, now=NOW + timedelta(hours=2))


def test_looking_at_a_link_does_not_use_it_up(db: DbSession) -> None:
    token = register(db)

    links.look_up(db, token, now=NOW)
    links.look_up(db, token, now=NOW)

    assert accounts.use_link(db, token, now=NOW).user.is_active


@pytest.mark.parametrize("late", [timedelta(days=3), timedelta(days=30)])
def test_a_link_that_is_too_old_is_refused(db: DbSession, late: timedelta) -> None:
    token = register(db)

    with pytest.raises(LinkSpent) as refused:
        accounts.use_link(db, token, now=NOW + late)

    assert refused.value.status == 410
    assert only_user(db).verified_at is None


def test_an_invented_link_is_refused_like_an_old_one(db: DbSession) -> None:
    with pytest.raises(LinkSpent):
        links.look_up(db, "never-was-one", now=NOW)


def test_registering_a_known_email_changes_nothing_and_writes_to_its_owner(db: DbSession) -> None:
    owner = make_user(db, "anna@example.net", name="Prof Anna Keller")
    stranger = replace(ANNA, name="Somebody Else", country="FR")

    accounts.register_person(db, "Anna@example.net", stranger, password=PASSWORD, now=NOW)

    db.expire_all()
    assert (only_user(db).name, owner.country, owner.password_hash) == (
        "Prof Anna Keller",
        "CH",
        None,
    )
    assert [kind for kind, _ in mails(db)] == ["already_registered"]
    assert db.scalars(select(SignInLink)).one().purpose == "sign-in"


def test_two_forms_for_one_unproved_email_leave_nobodys_password(db: DbSession) -> None:
    register(db, password="the password of an intruder")
    token = register(db, password=PASSWORD)

    accounts.use_link(db, token, now=NOW)

    for password in ("the password of an intruder", PASSWORD):
        assert accounts.person_with_password(db, "anna@example.net", password) is None


def test_who_asks_for_a_link_does_not_take_over_a_strangers_password(db: DbSession) -> None:
    register(db, password="the password of an intruder")

    accounts.send_link(db, "anna@example.net", now=NOW)
    accounts.use_link(db, mails(db)[-1][1], now=NOW)

    found = accounts.person_with_password(db, "anna@example.net", "the password of an intruder")
    assert found is None
    assert accounts.by_email(db, "anna@example.net").is_active


def test_who_types_their_password_gets_a_link_that_keeps_it(db: DbSession) -> None:
    register(db, password=PASSWORD)

    accounts.send_link(db, "anna@example.net", knows_password=True, now=NOW)
    accounts.use_link(db, mails(db)[-1][1], now=NOW)

    assert accounts.person_with_password(db, "anna@example.net", PASSWORD) is not None


def test_everything_wrong_with_a_form_is_said_at_once(db: DbSession) -> None:
    wrong = PersonDetails(name=" ", country="XX", profession="wizard", zone="Mars/Olympus")

    with pytest.raises(FormRefused) as refused:
        accounts.register_person(db, "not an address", wrong, password="short", now=NOW)

    assert set(refused.value.problems) == {
        "email",
        "name",
        "country",
        "profession",
        "zone",
        "password",
    }
    assert db.scalars(select(User)).all() == []


def test_a_sign_in_link_goes_to_people_only_and_lasts_a_quarter_of_an_hour(db: DbSession) -> None:
    make_user(db, "anna@example.net")

    accounts.send_link(db, "nobody@example.net", now=NOW)
    accounts.send_link(db, "anna@example.net", next_path="/sessions/", now=NOW)

    [(kind, token)] = mails(db)
    assert kind == "sign_in_link"
    with pytest.raises(LinkSpent):
        links.look_up(db, token, now=NOW + timedelta(minutes=15))
    assert accounts.use_link(db, token, now=NOW + timedelta(minutes=14)).next_path == "/sessions/"


def test_a_wrong_password_and_an_unknown_email_get_the_same_answer(db: DbSession) -> None:
    user = make_user(db, "anna@example.net")
    accounts.change_password(db, user.id, current="", new=PASSWORD, now=NOW)

    assert accounts.person_with_password(db, "anna@example.net", PASSWORD) == user
    assert accounts.person_with_password(db, "anna@example.net", "another password") is None
    assert accounts.person_with_password(db, "nobody@example.net", PASSWORD) is None
    assert accounts.person_with_password(db, "not an address", PASSWORD) is None


def test_a_new_password_ends_every_sign_in_and_every_open_link(db: DbSession) -> None:
    user = make_user(db, "anna@example.net")
    cookie_before = user.get_id()
    token = accounts.sign_in_token(db, user, now=NOW)

    accounts.change_password(db, user.id, current="", new=PASSWORD, now=NOW)

    assert user.get_id() != cookie_before
    with pytest.raises(LinkSpent):
        links.look_up(db, token, now=NOW)
    with pytest.raises(FormRefused) as refused:
        accounts.change_password(db, user.id, current="wrong", new=PASSWORD, now=NOW)
    assert set(refused.value.problems) == {"current_password"}


def test_a_changed_name_is_in_the_audit_trail(db: DbSession) -> None:
    user = make_user(db, name="Dr Anna Keller")

    accounts.change_details(db, user.id, replace(ANNA, name="Dr Anna Meier"), now=NOW)

    event = db.scalars(select(AuditEvent)).one()
    assert (event.action, event.before, event.after) == (
        "name changed",
        {"name": "Dr Anna Keller"},
        {"name": "Dr Anna Meier"},
    )


def test_a_new_calendar_address_ends_the_old_one(db: DbSession) -> None:
    user = make_user(db)

    old = accounts.new_feed_token(db, user.id, now=NOW)
    new = accounts.new_feed_token(db, user.id, now=NOW)

    assert old != new
    assert user.feed_token_hash == links.hash_of(new)


def test_a_person_added_by_an_administrator_needs_no_proof(db: DbSession) -> None:
    user = accounts.add_person(db, "Anna@example.net", ANNA, now=NOW)

    assert user.is_active
    with pytest.raises(AlreadyExists):
        accounts.add_person(db, "anna@example.net", ANNA, now=NOW)
    with pytest.raises(NotFound):
        accounts.by_email(db, "nobody@example.net")


def test_roles_are_given_and_taken_but_the_last_administrator_stays(db: DbSession) -> None:
    user, other = make_user(db), make_user(db)

    roles.give_role(db, user.id, Role.ADMINISTRATOR, actor_id=None, now=NOW)
    roles.give_role(db, user.id, Role.ADMINISTRATOR, actor_id=None, now=NOW)
    with pytest.raises(LastAdministrator):
        roles.take_role(db, user.id, Role.ADMINISTRATOR, actor_id=None, now=NOW)
    roles.give_role(db, other.id, Role.ADMINISTRATOR, actor_id=user.id, now=NOW)
    roles.take_role(db, user.id, Role.ADMINISTRATOR, actor_id=other.id, now=NOW)

    assert user.roles == {Role.PARTICIPANT}
    assert db.scalars(select(AuditEvent.action)).all() == ["role given", "role given", "role taken"]


def test_an_account_that_others_name_keeps_no_password_of_a_stranger(db: DbSession) -> None:
    token = register(db, password="the password of an intruder")

    named = accounts.waiting_account(db, "Anna@example.net", "Dr Anna Lang", now=NOW)
    accounts.use_link(db, token, now=NOW)

    assert named.is_active
    found = accounts.person_with_password(db, "anna@example.net", "the password of an intruder")
    assert found is None


def test_who_has_proved_their_email_keeps_their_password_when_others_name_them(
    db: DbSession,
) -> None:
    accounts.use_link(db, register(db, password=PASSWORD), now=NOW)

    accounts.waiting_account(db, "anna@example.net", "Dr Anna Lang", now=NOW)

    assert accounts.person_with_password(db, "anna@example.net", PASSWORD) is not None
