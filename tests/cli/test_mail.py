"""flask mail receive: what comes back changes what is sent, what is forged changes nothing."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import timedelta

import pytest
from click.testing import Result
from flask import Flask
from sqlalchemy import delete

from config import Config
from tests import sending
from tests.builders import NOW, make_session, make_user
from tests.conftest import SECRET
from tests.returned_mails import bounce, complaint
from webinar.app import create_app
from webinar.db import DbSession
from webinar.domain.letter import MailKind
from webinar.domain.mail_marks import message_mark, return_mark
from webinar.domain.mail_wishes import AddressTrouble
from webinar.models import Delivery, MailTrouble, MailWish
from webinar.services import deliveries, letters, troubles

OTHER = "another secret of somebody else, as long as ours"


@dataclass(frozen=True)
class Sent:
    """A reminder that went out."""

    delivery: Delivery
    mark: str
    """In its return address."""
    seen: str
    """In its Message-ID."""


@pytest.fixture
def config(config: Config) -> Config:
    """Mails come back to an address of their own."""
    return replace(config, MAIL_RETURN="bounces@rounds.example")


@pytest.fixture
def app_without_address(config: Config) -> Iterator[Flask]:
    """The same, but mails come back to the sender."""
    app = create_app(replace(config, MAIL_RETURN=""))
    app.config.update(TESTING=True)
    yield app
    app.extensions["engine"].dispose()


@pytest.fixture
def sent(db: DbSession) -> Sent:
    user = make_user(db, "anna@example.net")
    session = make_session(db)
    delivery = deliveries.queue(
        db,
        MailKind.SESSION_REMINDER,
        user_id=user.id,
        subject_id=session.id,
        due_at=NOW,
        now=NOW,
    )
    delivery.sent_at, delivery.due_at = NOW, None
    db.commit()
    return sent_of(delivery)


def sent_of(delivery: Delivery, secret: str = SECRET) -> Sent:
    which = (delivery.id, delivery.created_at)
    return Sent(delivery, return_mark(secret, *which), message_mark(secret, *which))


def receive(app: Flask, content: bytes, *args: str) -> Result:
    return app.test_cli_runner().invoke(args=["mail", "receive", *args], input=content)


def owe_link(db: DbSession, user_id: int) -> Delivery:
    return deliveries.queue(
        db, MailKind.SIGN_IN_LINK, user_id=user_id, subject_id=1, due_at=NOW, now=NOW
    )


def trouble_of(db: DbSession, sent: Sent) -> MailTrouble | None:
    db.rollback()
    db.expire_all()
    return db.get(MailTrouble, sent.delivery.user_id)


def test_an_address_that_nobody_has_gets_only_what_is_necessary(
    app: Flask, db: DbSession, sent: Sent
) -> None:
    result = receive(app, bounce(sent.mark))

    trouble = trouble_of(db, sent)
    assert result.exit_code == 0
    assert trouble is not None
    assert (trouble.trouble, trouble.email, trouble.returned) == (
        AddressTrouble.RETURNED,
        "anna@example.net",
        1,
    )
    assert sent.delivery.returned_because == "smtp; 550 5.1.1 <anna@example.net>: no such user"
    dropped = sending.letter_for(db, sent.delivery, now=NOW)
    assert str(dropped) == "Dropped(because='mail to this address comes back')"
    assert letters.unwanted(db, [owe_link(db, sent.delivery.user_id)]) == {}


def test_the_mark_in_the_address_is_enough(app: Flask, db: DbSession, sent: Sent) -> None:
    to = f"bounces+{sent.mark.upper()}@rounds.example"

    in_the_head = receive(app, bounce(to=to))
    of_the_envelope = receive(app, bounce(), "--to", to)

    trouble = trouble_of(db, sent)
    assert (in_the_head.exit_code, of_the_envelope.exit_code) == (0, 0)
    assert trouble is not None
    assert trouble.returned == 1  # the same mail, told twice


@pytest.mark.parametrize(
    ("status", "code"),
    [
        ("4.4.7", "smtp; 421 4.4.7 expired"),
        ("5.2.2", "smtp; 552 5.2.2 mailbox full"),
        ("5.7.1", "smtp; 550 5.7.1 looks like spam"),
        ("5.0.0", "x-unix; something went wrong"),
    ],
)
def test_what_may_pass_is_counted_and_held_against_nobody_at_once(
    app: Flask, db: DbSession, sent: Sent, status: str, code: str
) -> None:
    receive(app, bounce(sent.mark, status=status, code=code))

    trouble = trouble_of(db, sent)
    assert trouble is not None
    assert (trouble.trouble, trouble.returned) == (AddressTrouble.DELAYED, 1)
    assert troubles.held_back(db, [sent.delivery.user_id]) == set()


def test_what_never_passes_is_held_against_the_address_in_the_end(
    app: Flask, db: DbSession, sent: Sent
) -> None:
    for number in range(troubles.MAY_COME_BACK):
        delivery = deliveries.queue(
            db,
            MailKind.SESSION_REMINDER,
            user_id=sent.delivery.user_id,
            subject_id=sent.delivery.subject_id,
            revision=number + 1,
            due_at=NOW,
            now=NOW,
        )
        db.commit()
        receive(app, bounce(sent_of(delivery).mark, status="4.2.2", code="full"))

    trouble = trouble_of(db, sent)
    assert trouble is not None
    assert trouble.trouble is AddressTrouble.RETURNED


def test_a_status_only_in_words_is_read(app: Flask, db: DbSession, sent: Sent) -> None:
    receive(app, bounce(sent.mark, status="5.0.0"))

    trouble = trouble_of(db, sent)
    assert trouble is not None
    assert trouble.trouble is AddressTrouble.RETURNED


def test_a_mail_that_is_only_late_changes_nothing(app: Flask, db: DbSession, sent: Sent) -> None:
    result = receive(app, bounce(sent.mark, action="delayed", status="4.4.1"))

    assert result.exit_code == 0
    assert "Nothing was changed" in result.output
    assert trouble_of(db, sent) is None


def test_a_complaint_ends_all_that_can_be_refused(app: Flask, db: DbSession, sent: Sent) -> None:
    result = receive(app, complaint(sent.mark))

    trouble = trouble_of(db, sent)
    wishes = db.query(MailWish).all()
    assert result.exit_code == 0
    assert trouble is not None
    assert trouble.trouble is AddressTrouble.COMPLAINED
    assert wishes
    assert {(wish.is_wanted, wish.source) for wish in wishes} == {(False, "complaint")}


def test_who_says_it_is_no_spam_after_all_complains_not(
    app: Flask, db: DbSession, sent: Sent
) -> None:
    result = receive(app, complaint(sent.mark, kind="not-spam"))

    assert result.exit_code == 0
    assert trouble_of(db, sent) is None


def test_a_forged_report_changes_nothing_and_is_told_so(
    app: Flask, db: DbSession, sent: Sent
) -> None:
    forged = sent_of(sent.delivery, OTHER)

    results = [
        receive(app, bounce(forged.mark, seen=forged.seen)),
        receive(app, complaint(forged.mark, seen=forged.seen)),
        receive(app, bounce()),
    ]

    assert [result.exit_code for result in results] == [67, 67, 67]
    assert {result.output for result in results} == {
        "Nothing was changed. It is about no mail of ours: no mark in it is one that we made.\n"
    }
    assert trouble_of(db, sent) is None


def test_a_report_on_a_mail_that_is_forgotten_changes_nothing(app: Flask, db: DbSession) -> None:
    result = receive(app, bounce(return_mark(SECRET, 4711, NOW)))

    assert result.exit_code == 67


def test_who_saw_the_mail_cannot_send_it_back(app: Flask, db: DbSession, sent: Sent) -> None:
    seen = f"<session_reminder.{sent.seen}@rounds.example>"
    return_address = f"bounces+{sent.seen}@rounds.example"

    results = [
        receive(app, bounce(seen=sent.seen)),
        receive(app, complaint(seen=sent.seen)),
        receive(app, bounce(to=return_address, path=return_address), "--to", return_address),
        receive(app, bounce(words=f"Message-ID: {seen}")),
        receive(app, f"In-Reply-To: {seen}\r\n".encode() + bounce()),
    ]

    assert [result.exit_code for result in results] == [67] * 5
    assert trouble_of(db, sent) is None


def test_without_an_address_of_their_own_mails_that_come_back_are_counted(
    app_without_address: Flask, db: DbSession, sent: Sent
) -> None:
    results = [
        receive(app_without_address, bounce(seen=sent.seen)),
        receive(app_without_address, complaint(seen=sent.seen)),
    ]

    trouble = trouble_of(db, sent)
    assert [result.exit_code for result in results] == [0, 0]
    assert trouble is not None
    assert (trouble.trouble, trouble.returned) == (AddressTrouble.DELAYED, 1)
    assert db.query(MailWish).all() == []


def test_a_mark_in_the_words_of_a_report_is_none(
    app_without_address: Flask, db: DbSession, sent: Sent
) -> None:
    seen = f"<session_reminder.{sent.seen}@rounds.example>"

    results = [
        receive(app_without_address, bounce(words=f"Message-ID: {seen}")),
        receive(app_without_address, f"In-Reply-To: {seen}\r\n".encode() + bounce()),
        receive(app_without_address, f"Message-ID: {seen}\r\n".encode() + bounce()),
    ]

    assert [result.exit_code for result in results] == [67] * 3
    assert trouble_of(db, sent) is None


def test_the_return_path_of_the_mail_it_brings_back_is_enough(
    app: Flask, db: DbSession, sent: Sent
) -> None:
    result = receive(app, bounce(path=f"bounces+{sent.mark}@rounds.example"))

    trouble = trouble_of(db, sent)
    assert result.exit_code == 0
    assert trouble is not None
    assert trouble.trouble is AddressTrouble.RETURNED


def test_a_mail_that_got_the_number_of_a_forgotten_one_answers_not_for_it(
    app: Flask, db: DbSession, sent: Sent
) -> None:
    other = make_user(db, "ben@example.net")
    number, subject_id = sent.delivery.id, sent.delivery.subject_id
    db.execute(delete(Delivery).where(Delivery.id == number))
    later = Delivery(
        id=number,
        kind=MailKind.SESSION_REMINDER,
        user_id=other.id,
        subject_id=subject_id,
        created_at=NOW + timedelta(seconds=1),
    )
    db.expunge_all()
    db.add(later)
    db.commit()

    result = receive(app, bounce(sent.mark))

    db.rollback()
    assert result.exit_code == 67
    assert db.get(MailTrouble, other.id) is None


@pytest.mark.parametrize(
    "content",
    [
        b"To: " + b"(" * 5_000 + b"\r\n\r\n",
        b"To: " + b"a@b.example, " * 70_000 + b"\r\n\r\n",
        b"Content-Type: message/rfc822\r\n\r\n" * 30_000,
        b"".join(
            b"Content-Type: multipart/mixed; boundary=b%d\r\n\r\n--b%d\r\n" % (depth, depth)
            for depth in range(1_500)
        ),
        b'Content-Type: multipart/mixed; a="' + b";" * 900_000 + b"\r\n\r\n",
        b"Subject: large\r\n\r\n" + b"a" * 1_000_000,
    ],
    ids=["brackets", "addresses", "mails in mails", "parts in parts", "parameters", "size"],
)
def test_what_is_made_to_be_hard_to_read_is_no_report(app: Flask, content: bytes) -> None:
    result = receive(app, content)

    assert result.exit_code == 65
    assert result.output.startswith("Nothing was changed. ")


def test_a_report_in_unicode_is_read(app: Flask, db: DbSession, sent: Sent) -> None:
    report = bounce(sent.mark, code="smtp; 550 5.1.1 nicht bekannt\0").replace(
        b"message/delivery-status", b"message/global-delivery-status"
    )

    result = receive(app, report)

    db.rollback()
    db.expire_all()
    assert result.exit_code == 0
    assert sent.delivery.returned_because == "smtp; 550 5.1.1 nicht bekannt"


@pytest.mark.parametrize(
    "content",
    [b"", b"\xff\xfe\x00", b"Subject: I am away until Monday\r\n\r\nBest\r\n", b"\r\n\r\n" * 9],
)
def test_what_is_no_report_is_said_to_be_none(app: Flask, db: DbSession, content: bytes) -> None:
    result = receive(app, content)

    assert result.exit_code == 65
    assert result.output.startswith("Nothing was changed. ")


def test_an_address_that_was_mended_is_written_to_again(
    app: Flask, db: DbSession, sent: Sent
) -> None:
    receive(app, bounce(sent.mark))
    db.rollback()
    troubles.mended(db, sent.delivery.user_id)

    assert troubles.held_back(db, [sent.delivery.user_id]) == set()
