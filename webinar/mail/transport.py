"""Ways out for a message: a mail server, or files in a folder while there is none."""

import logging
import os
import smtplib
import ssl
from datetime import datetime
from email.message import EmailMessage
from pathlib import Path
from typing import Protocol
from urllib.parse import unquote, urlsplit

log = logging.getLogger(__name__)

SMTP_SECONDS = 10
SAME_MACHINE = frozenset({"localhost", "127.0.0.1", "::1"})


class NotSent(Exception):
    """The message is not out, but a later try may succeed."""


class Refused(Exception):
    """The mail server will never take this message for this person."""


class Transport(Protocol):
    """What sends messages. Returning means that somebody else is answerable for it now."""

    def send(self, message: EmailMessage, *, name: str, now: datetime) -> None:
        """Send it; raises NotSent, Refused. `name` tells the mail apart in a folder."""

    def close(self) -> None:
        """No more for now."""


def transport_for(smtp_url: str, folder: Path) -> Transport:
    """SMTP if there is a URL, else files in the folder; raises ValueError if the URL is wrong."""
    return SmtpTransport(smtp_url) if smtp_url else FolderTransport(folder)


class FolderTransport:
    """Keeps every message as a file and says so: for a laptop without a mail server."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def send(self, message: EmailMessage, *, name: str, now: datetime) -> None:
        """Write the file so that it survives a power cut."""
        path = self._folder / f"{now:%Y%m%dT%H%M%S}-{name}.eml"
        unfinished = path.with_suffix(".part")
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            with unfinished.open("wb") as file:
                file.write(message.as_bytes())
                file.flush()
                os.fsync(file.fileno())
            unfinished.replace(path)
            _sync_folder(self._folder)
        except OSError as error:
            raise NotSent(f"the mail could not be written: {error}") from error
        log.info("mail to %s: %s (%s)", message["To"], message["Subject"], path)

    def close(self) -> None:
        """Nothing is held open."""


class SmtpTransport:
    """One connection to the mail server, kept open from mail to mail.

    `smtp://user:password@host:587` encrypts as soon as the server offers it, and never sends a
    password in the clear to another machine; `smtps://host:465` encrypts from the start.
    """

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        if parts.scheme not in ("smtp", "smtps") or not parts.hostname:
            raise ValueError("SMTP_URL looks like smtp://user:password@host:587 or smtps://host")
        self._encrypted = parts.scheme == "smtps"
        self._host = parts.hostname
        self._port = parts.port or (465 if self._encrypted else 25)
        self._user = unquote(parts.username or "")
        self._password = unquote(parts.password or "")
        self._connection: smtplib.SMTP | None = None

    def send(self, message: EmailMessage, *, name: str, now: datetime) -> None:
        """Hand the message over; raises NotSent, Refused."""
        try:
            self._send(message)
        except smtplib.SMTPServerDisconnected:
            # The server hung up between two mails: that is its right.
            self.close()
            self._try_again(message)
        log.info("mail handed over: %s", name)

    def close(self) -> None:
        """Say goodbye."""
        connection, self._connection = self._connection, None
        if connection is not None:
            try:
                connection.quit()
            except (OSError, smtplib.SMTPException):
                connection.close()

    def _try_again(self, message: EmailMessage) -> None:
        try:
            self._send(message)
        except smtplib.SMTPServerDisconnected as error:
            self.close()
            raise NotSent(f"the mail server hung up: {error}") from error

    def _send(self, message: EmailMessage) -> None:
        try:
            self._connected().send_message(message)
        except smtplib.SMTPServerDisconnected:
            raise
        except smtplib.SMTPRecipientsRefused as error:
            self._reset()
            code, words = next(iter(error.recipients.values()))
            raise _outcome(code, words) from error
        except smtplib.SMTPResponseException as error:
            self.close()
            # A refused password or greeting is our mistake, not the message's: it may be mended.
            lasting = isinstance(error, smtplib.SMTPDataError)
            raise _outcome(error.smtp_code if lasting else 0, error.smtp_error) from error
        except (OSError, smtplib.SMTPException) as error:
            self.close()
            raise NotSent(f"the mail server could not be reached: {error}") from error

    def _connected(self) -> smtplib.SMTP:
        if self._connection is not None:
            return self._connection
        context = ssl.create_default_context()
        connection: smtplib.SMTP
        if self._encrypted:
            connection = smtplib.SMTP_SSL(
                self._host, self._port, timeout=SMTP_SECONDS, context=context
            )
        else:
            connection = smtplib.SMTP(self._host, self._port, timeout=SMTP_SECONDS)
        self._connection = connection
        connection.ehlo_or_helo_if_needed()
        if not self._encrypted and self._host not in SAME_MACHINE:
            if connection.has_extn("starttls"):
                connection.starttls(context=context)
            elif self._user:
                raise smtplib.SMTPException("it offers no encryption, so the password was not sent")
        if self._user:
            connection.login(self._user, self._password)
        return connection

    def _reset(self) -> None:
        if self._connection is not None:
            self._connection.rset()


def _outcome(code: int, words: bytes | str) -> NotSent | Refused:
    """RFC 5321, 4.2.1: 5xx is for good, anything else is for now."""
    text = words.decode(errors="replace") if isinstance(words, bytes) else words
    if 500 <= code < 600:
        return Refused(f"{code} {text}")
    return NotSent(f"{code} {text}")


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
