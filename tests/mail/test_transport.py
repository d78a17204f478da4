from collections.abc import Iterator
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path

import pytest

from tests.components.servers import free_port
from tests.components.smtp import SmtpSink
from webinar.mail.message import ReadyMail
from webinar.mail.transport import (
    FolderTransport,
    SmtpTransport,
    transport_for,
)
from webinar.mail.verdicts import HungUp, NotSent, Refused, ServerAway


@pytest.fixture
def sink() -> Iterator[SmtpSink]:
    with SmtpSink() as sink:
        yield sink


def message(to: str = "anna@example.net", *, text: str = "Grüezi\n") -> ReadyMail:
    made = EmailMessage(policy=policy.SMTP)
    made["From"] = "webinars@rounds.example"
    made["To"] = to
    made["Subject"] = "Für Zoë"
    made.set_content(text, cte="quoted-printable")
    return ReadyMail(
        name="sign_in_link-7",
        message_id="m@rounds.example",
        sender="webinars@rounds.example",
        recipient=to,
        content=made.as_bytes(),
    )


def test_the_mail_server_gets_the_message(sink: SmtpSink) -> None:
    transport = SmtpTransport(sink.url)

    transport.send(message())
    transport.send(message("ben@example.net"))
    transport.close()

    assert [mail.recipients for mail in sink.mails] == [("anna@example.net",), ("ben@example.net",)]
    assert sink.messages[0]["Subject"] == "Für Zoë"
    assert sink.messages[0].get_content().splitlines() == ["Grüezi"]


def test_a_refused_person_does_not_keep_the_next_from_their_mail(sink: SmtpSink) -> None:
    sink.refuse("gone@example.net", "550 No such mailbox")
    sink.refuse("full@example.net", "452 Mailbox full")
    transport = SmtpTransport(sink.url)

    with pytest.raises(Refused, match="550 No such mailbox"):
        transport.send(message("gone@example.net"))
    with pytest.raises(NotSent, match="452 Mailbox full"):
        transport.send(message("full@example.net"))
    transport.send(message())
    transport.close()

    assert len(sink.messages) == 1


def test_a_server_that_is_away_means_later() -> None:
    transport = SmtpTransport(f"smtp://127.0.0.1:{free_port()}")

    with pytest.raises(ServerAway, match="could not be reached"):
        transport.send(message())
    transport.close()


def test_a_server_that_goes_away_between_two_mails_means_later() -> None:
    with SmtpSink() as first:
        transport = SmtpTransport(first.url)
        transport.send(message())
    with pytest.raises(HungUp):
        transport.send(message())
    with pytest.raises(ServerAway):
        transport.send(message())
    transport.close()


@pytest.mark.parametrize("url", ["http://mail.example", "smtp://", "mail.example:25"])
def test_a_wrong_address_of_a_mail_server_is_refused_at_once(url: str) -> None:
    with pytest.raises(ValueError, match="SMTP_URL looks like"):
        SmtpTransport(url)


def test_without_a_mail_server_messages_are_kept_as_files(tmp_path: Path) -> None:
    transport = transport_for("", tmp_path / "outbox")

    transport.send(message())
    transport.close()

    [kept] = (tmp_path / "outbox").iterdir()
    read = message_from_bytes(kept.read_bytes(), policy=policy.default)
    assert isinstance(transport, FolderTransport)
    assert kept.name == "sign_in_link-7.eml"
    assert read["To"] == "anna@example.net"


def test_a_folder_that_cannot_be_written_means_later(tmp_path: Path) -> None:
    (tmp_path / "outbox").write_text("a file where the folder should be")

    with pytest.raises(NotSent):
        FolderTransport(tmp_path / "outbox").send(message())
