"""Who may have an account deleted: its password, or a link that was mailed for this and pressed."""

import pytest
from sqlalchemy import select

from tests.builders import NOW, make_user
from tests.services.test_erasure import EMAIL
from webinar.db import DbSession
from webinar.models import Delivery, SignInLink, User
from webinar.services import accounts, erasure, links, own_data, passwords


def test_a_password_or_a_link_that_was_pressed_proves_who_asks(db: DbSession) -> None:
    user = make_user(db, EMAIL)
    user.password_hash = passwords.hash_of("six words make a good one")
    ask = {"email": f" {EMAIL.upper()} ", "now": NOW}

    erasure.ensure_proved(db, user, password="six words make a good one", proof="", **ask)  # type: ignore[arg-type]
    with pytest.raises(erasure.NotProved, match="not your password"):
        erasure.ensure_proved(db, user, password="wrong", proof="", **ask)  # type: ignore[arg-type]
    with pytest.raises(erasure.NotProved, match="not the e-mail"):
        erasure.ensure_proved(db, user, email="other@example.net", password="x", proof="", now=NOW)


def proof_mailed(db: DbSession, user: User) -> tuple[str, str]:
    """(secret of the link, proof it leads to)."""
    erasure.ask_for_proof(db, user, now=NOW)
    mail = db.scalars(select(Delivery).order_by(Delivery.id.desc())).first()
    assert mail is not None
    path = db.get_one(SignInLink, mail.subject_id).next_path
    return str(mail.details["token"]), path.partition("proof=")[2]


def test_a_link_proves_once_pressed_for_a_quarter_of_an_hour_and_for_one_person(
    db: DbSession,
) -> None:
    user, other = make_user(db, EMAIL), make_user(db)
    token, proof = proof_mailed(db, user)
    asked = erasure.is_proved_by_mail(db, user.id, proof, now=NOW)

    links.use(db, token, now=NOW)
    late = NOW + erasure.PROVED_WITHIN

    assert not asked
    assert erasure.is_proved_by_mail(db, user.id, proof, now=NOW)
    assert not erasure.is_proved_by_mail(db, user.id, "", now=NOW)
    assert not erasure.is_proved_by_mail(db, user.id, "another", now=NOW)
    assert not erasure.is_proved_by_mail(db, other.id, proof, now=NOW)
    assert not erasure.is_proved_by_mail(db, user.id, proof, now=late)


def test_a_link_to_sign_in_that_leads_to_the_form_is_no_proof(db: DbSession) -> None:
    user = make_user(db, EMAIL)
    accounts.send_link(db, EMAIL, next_path=f"{erasure.DELETE_PATH}?proof=chosen", now=NOW)
    mail = db.scalars(select(Delivery)).one()

    links.use(db, str(mail.details["token"]), now=NOW)

    assert not erasure.is_proved_by_mail(db, user.id, "chosen", now=NOW)


def test_a_link_that_signing_out_ended_is_no_proof_even_to_who_knows_where_it_leads(
    db: DbSession,
) -> None:
    user = make_user(db, EMAIL)
    token, proof = proof_mailed(db, user)

    accounts.end_sign_ins(db, user.id, now=NOW)

    assert not erasure.is_proved_by_mail(db, user.id, proof, now=NOW)
    with pytest.raises(links.LinkSpent):
        links.use(db, token, now=NOW)
    with pytest.raises(erasure.NotProved, match="Ask for the link"):
        erasure.ensure_proved(db, user, email=EMAIL, password="", proof=proof, now=NOW)


def test_a_password_chosen_where_there_was_none_is_no_proof_nor_is_what_it_is_changed_to(
    db: DbSession,
) -> None:
    user = make_user(db, EMAIL)
    first, second = "six words make a good one", "seven other words make another one"

    accounts.change_password(db, user.id, current="", new=first, now=NOW)
    with pytest.raises(erasure.NotProved, match="Ask for the link"):
        erasure.ensure_proved(db, user, email=EMAIL, password=first, proof="", now=NOW)
    accounts.change_password(db, user.id, current=first, new=second, now=NOW)
    with pytest.raises(erasure.NotProved, match="Ask for the link"):
        erasure.ensure_proved(db, user, email=EMAIL, password=second, proof="", now=NOW)


def test_a_password_of_the_registration_proves_also_after_it_was_changed(db: DbSession) -> None:
    user = make_user(db, EMAIL)
    old, new = "six words make a good one", "seven other words make another one"
    user.password_hash = passwords.hash_of(old)

    accounts.change_password(db, user.id, current=old, new=new, now=NOW)

    assert erasure.has_proving_password(db, user)
    erasure.ensure_proved(db, user, email=EMAIL, password=new, proof="", now=NOW)


def test_the_copy_of_ones_data_does_not_tell_the_proof(db: DbSession) -> None:
    user = make_user(db, EMAIL)
    _, proof = proof_mailed(db, user)

    listed = {one.table: one.rows for one in own_data.tables_of(db, user.id)}

    assert len(listed["sign_in_link"]) == 1
    assert proof not in str(listed)
