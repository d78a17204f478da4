"""flask mail receive: what comes back changes what is sent, what is forged changes nothing."""

from dataclasses import dataclass

import pytest
from click.testing import Result
from flask import Flask

from tests.builders import NOW, make_session, make_user
from tests.conftest import SECRET
from webinar.db import DbSession
from webinar.domain.letter import MailKind
from webinar.domain.mail_marks import return_mark
from webinar.domain.mail_wishes import AddressTrouble
from webinar.models import Delivery, MailTrouble, MailWish
from webinar.services import deliveries, letters, troubles

OTHER = "another secret of somebody else, as long as ours"


@dataclass(frozen=True)
class Sent:
    """A reminder that went out."""

    delivery: Delivery
    mark: str


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
    return Sent(delivery, return_mark(SECRET, delivery.id))


def bounce(
    mark: str = "",
    *,
    to: str = "bounces@rounds.example",
    status: str = "5.1.1",
    action: str = "failed",
    code: str = "smtp; 550 5.1.1 <anna@example.net>: no such user",
) -> bytes:
    """As Postfix writes it (RFC 3464), with the head of the mail at its end."""
    return f"""From: MAILER-DAEMON@mx.example (Mail Delivery System)
To: {to}
Subject: Undelivered Mail Returned to Sender
Auto-Submitted: auto-replied
MIME-Version: 1.0
Content-Type: multipart/report; report-type=delivery-status; boundary="edge"

--edge
Content-Type: text/plain; charset=us-ascii

I'm sorry to have to inform you that your message could not be delivered.

--edge
Content-Type: message/delivery-status

Reporting-MTA: dns; mx.example
Arrival-Date: Thu, 26 Nov 2026 16:15:00 +0000 (UTC)

Final-Recipient: rfc822; anna@example.net
Original-Recipient: rfc822;anna@example.net
Action: {action}
Status: {status}
Diagnostic-Code: {code}

--edge
Content-Type: text/rfc822-headers

From: Grand Rounds Online <webinars@rounds.example>
To: "Dr Anna Keller" <anna@example.net>
Subject: Reminder
Message-ID: <session_reminder.{mark or "a" * 32}@rounds.example>

--edge--
""".replace("\n", "\r\n").encode()


def complaint(mark: str, *, kind: str = "abuse") -> bytes:
    """As a provider's loop of complaints writes it (RFC 5965), with the whole mail."""
    return f"""From: <abusedesk@provider.example>
To: <fbl@rounds.example>
Subject: FW: Reminder
MIME-Version: 1.0
Content-Type: multipart/report; report-type=feedback-report; boundary="edge"

--edge
Content-Type: text/plain; charset="US-ASCII"

This is an email abuse report.

--edge
Content-Type: message/feedback-report

Feedback-Type: {kind}
User-Agent: SomeGenerator/1.0
Version: 1

--edge
Content-Type: message/rfc822
Content-Disposition: inline

From: Grand Rounds Online <webinars@rounds.example>
To: redacted@provider.example
Subject: Reminder
Message-ID: <session_reminder.{mark}@rounds.example>

Dear Dr Anna Keller,
--edge--
""".encode()


def receive(app: Flask, content: bytes, *args: str) -> Result:
    return app.test_cli_runner().invoke(args=["mail", "receive", *args], input=content)


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
    assert troubles.holds_back(db, sent.delivery.user_id, MailKind.SESSION_REMINDER)
    assert not troubles.holds_back(db, sent.delivery.user_id, MailKind.SIGN_IN_LINK)
    dropped = letters.letter_for(db, sent.delivery, now=NOW)
    assert str(dropped) == "Dropped(because='mail to this address comes back')"


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
    assert not troubles.holds_back(db, sent.delivery.user_id, MailKind.SESSION_REMINDER)


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
        receive(app, bounce(return_mark(SECRET, delivery.id), status="4.2.2", code="full"))

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
    forged = return_mark(OTHER, sent.delivery.id)

    results = [
        receive(app, bounce(forged)),
        receive(app, complaint(forged)),
        receive(app, bounce()),
    ]

    assert [result.exit_code for result in results] == [67, 67, 67]
    assert {result.output for result in results} == {
        "Nothing was changed. It is about no mail of ours: no mark in it is one that we made.\n"
    }
    assert trouble_of(db, sent) is None


def test_a_report_on_a_mail_that_is_forgotten_changes_nothing(app: Flask, db: DbSession) -> None:
    result = receive(app, bounce(return_mark(SECRET, 4711)))

    assert result.exit_code == 67


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

    assert not troubles.holds_back(db, sent.delivery.user_id, MailKind.SESSION_REMINDER)
