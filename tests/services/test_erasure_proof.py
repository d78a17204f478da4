"""Who may have an account deleted: its password, or a link that was mailed for this and pressed."""

import pytest
from sqlalchemy import select

from tests.builders import NOW, make_user
from tests.services.test_erasure import EMAIL
from webinar.db import DbSession
from webinar.models import Delivery, SignInLink, User
from webinar.services import accounts, erasure, links, passwords


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


def test_a_link_that_signing_out_used_up_is_no_proof_to_who_never_saw_it(db: DbSession) -> None:
    user = make_user(db, EMAIL)
    proof_mailed(db, user)

    accounts.end_sign_ins(db, user.id, now=NOW)

    assert not erasure.is_proved_by_mail(db, user.id, "", now=NOW)
    with pytest.raises(erasure.NotProved, match="Ask for the link"):
        erasure.ensure_proved(db, user, email=EMAIL, password="", proof="", now=NOW)
