from collections.abc import Iterator
from datetime import UTC, datetime
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path

import pytest

from tests.components.servers import free_port
from tests.components.smtp import SmtpSink
from webinar.mail.transport import (
    FolderTransport,
    NotSent,
    Refused,
    SmtpTransport,
    transport_for,
)

NOW = datetime(2026, 11, 26, 16, 15, tzinfo=UTC)


@pytest.fixture
def sink() -> Iterator[SmtpSink]:
    with SmtpSink() as sink:
        yield sink


def message(to: str = "anna@example.net") -> EmailMessage:
    made = EmailMessage(policy=policy.SMTP)
    made["From"] = "webinars@rounds.example"
    made["To"] = to
    made["Subject"] = "Für Zoë"
    made.set_content("Grüezi\n")
    return made


def test_the_mail_server_gets_the_message(sink: SmtpSink) -> None:
    transport = SmtpTransport(sink.url)

    transport.send(message(), name="a", now=NOW)
    transport.send(message("ben@example.net"), name="b", now=NOW)
    transport.close()

    assert [mail.recipients for mail in sink.mails] == [("anna@example.net",), ("ben@example.net",)]
    assert sink.messages[0]["Subject"] == "Für Zoë"
    assert sink.messages[0].get_content().splitlines() == ["Grüezi"]


def test_a_refused_person_does_not_keep_the_next_from_their_mail(sink: SmtpSink) -> None:
    sink.refuse("gone@example.net", "550 No such mailbox")
    sink.refuse("full@example.net", "452 Mailbox full")
    transport = SmtpTransport(sink.url)

    with pytest.raises(Refused, match="550 No such mailbox"):
        transport.send(message("gone@example.net"), name="a", now=NOW)
    with pytest.raises(NotSent, match="452 Mailbox full"):
        transport.send(message("full@example.net"), name="b", now=NOW)
    transport.send(message(), name="c", now=NOW)
    transport.close()

    assert len(sink.messages) == 1


def test_a_server_that_is_away_means_later() -> None:
    transport = SmtpTransport(f"smtp://127.0.0.1:{free_port()}")

    with pytest.raises(NotSent, match="could not be reached"):
        transport.send(message(), name="a", now=NOW)
    transport.close()


def test_a_server_that_goes_away_between_two_mails_means_later() -> None:
    with SmtpSink() as first:
        transport = SmtpTransport(first.url)
        transport.send(message(), name="a", now=NOW)
    with pytest.raises(NotSent):
        transport.send(message(), name="b", now=NOW)
    transport.close()


@pytest.mark.parametrize("url", ["http://mail.example", "smtp://", "mail.example:25"])
def test_a_wrong_address_of_a_mail_server_is_refused_at_once(url: str) -> None:
    with pytest.raises(ValueError, match="SMTP_URL looks like"):
        SmtpTransport(url)


def test_without_a_mail_server_messages_are_kept_as_files(tmp_path: Path) -> None:
    transport = transport_for("", tmp_path / "outbox")

    transport.send(message(), name="sign_in_link-7", now=NOW)
    transport.close()

    [kept] = (tmp_path / "outbox").iterdir()
    read = message_from_bytes(kept.read_bytes(), policy=policy.default)
    assert isinstance(transport, FolderTransport)
    assert kept.name == "20261126T161500-sign_in_link-7.eml"
    assert read["To"] == "anna@example.net"


def test_a_folder_that_cannot_be_written_means_later(tmp_path: Path) -> None:
    (tmp_path / "outbox").write_text("a file where the folder should be")

    with pytest.raises(NotSent):
        FolderTransport(tmp_path / "outbox").send(message(), name="a", now=NOW)
