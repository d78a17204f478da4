"""A real SMTP server for the tests that keeps what it is given."""

import email
import email.policy
import threading
from dataclasses import dataclass
from email.message import EmailMessage
from typing import Self

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session

from tests.components.servers import free_port


@dataclass(frozen=True)
class ReceivedMail:
    """One mail as it arrived: the addresses of the envelope beside the message itself."""

    sender: str
    recipients: tuple[str, ...]
    message: EmailMessage


class SmtpSink:
    """`with SmtpSink() as sink:` send to `sink.url`, then look at `sink.messages`."""

    def __init__(self) -> None:
        self._arrival = threading.Condition()
        self._mails: list[ReceivedMail] = []
        self._refusals: dict[str, str] = {}

    def __enter__(self) -> Self:
        self.port = free_port()
        self._controller = Controller(self, hostname="127.0.0.1", port=self.port, ready_timeout=60)
        self._controller.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._controller.stop()

    @property
    def url(self) -> str:
        """The address for SMTP_URL."""
        return f"smtp://127.0.0.1:{self.port}"

    @property
    def mails(self) -> list[ReceivedMail]:
        """What has arrived so far, oldest first, with envelopes."""
        with self._arrival:
            return list(self._mails)

    @property
    def messages(self) -> list[EmailMessage]:
        """What has arrived so far, oldest first."""
        return [mail.message for mail in self.mails]

    def wait_for(self, count: int, *, seconds: float = 60) -> list[EmailMessage]:
        """The messages once there are `count` of them, or as many as came in time."""
        with self._arrival:
            self._arrival.wait_for(lambda: len(self._mails) >= count, timeout=seconds)
        return self.messages

    def refuse(self, recipient: str, answer: str = "550 No such mailbox") -> None:
        """From now on answer a mail to this address with this line."""
        self._refusals[recipient] = answer

    def clear(self) -> None:
        """Forget mails and refusals."""
        with self._arrival:
            self._mails.clear()
        self._refusals.clear()

    async def handle_RCPT(  # noqa: N802 - aiosmtpd's name
        self,
        server: SMTP,
        session: Session,
        envelope: Envelope,
        address: str,
        rcpt_options: list[str],
    ) -> str:
        """Called by aiosmtpd for each recipient."""
        if address in self._refusals:
            return self._refusals[address]
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(  # noqa: N802 - aiosmtpd's name
        self, server: SMTP, session: Session, envelope: Envelope
    ) -> str:
        """Called by aiosmtpd with each whole mail."""
        message = email.message_from_bytes(envelope.original_content, policy=email.policy.default)
        with self._arrival:
            self._mails.append(ReceivedMail(envelope.mail_from, tuple(envelope.rcpt_tos), message))
            self._arrival.notify_all()
        return "250 Kept"
