"""Ways out for a message: a mail server, or files in a folder while there is none."""

import logging
import os
import threading
from pathlib import Path
from typing import Protocol

from webinar.mail.message import ReadyMail
from webinar.mail.pace import Breaker, Pace
from webinar.mail.smtp import SmtpConnection, SmtpServer
from webinar.mail.verdicts import NotSent

log = logging.getLogger(__name__)


class Transport(Protocol):
    """What sends messages; several threads use one. Each opens, sends and closes for itself."""

    breaker: Breaker
    pace: Pace

    def open(self) -> None:
        """Be ready to send; raises ServerAway."""

    def send(self, mail: ReadyMail) -> None:
        """Returning means that somebody else is answerable for it now.

        Raises NotSent, HungUp, CutOff, ServerAway, Refused.
        """

    def close(self) -> None:
        """No more for now."""


def transport_for(smtp_url: str, folder: Path, *, per_minute: int = 0) -> Transport:
    """SMTP if there is a URL, else files in the folder; raises ValueError if the URL is wrong."""
    if smtp_url:
        return SmtpTransport(smtp_url, per_minute=per_minute)
    return FolderTransport(folder, per_minute=per_minute)


class FolderTransport:
    """Keeps every message as a file and says so: for a laptop without a mail server."""

    def __init__(self, folder: Path, *, per_minute: int = 0) -> None:
        self.breaker = Breaker()
        self.pace = Pace(per_minute)
        self._folder = folder

    def open(self) -> None:
        """A folder is always open."""

    def send(self, mail: ReadyMail) -> None:
        """Write the file so that it survives a power cut; the same mail again replaces it."""
        path = self._folder / f"{mail.name}.eml"
        unfinished = path.with_suffix(".part")
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            with unfinished.open("wb") as file:
                file.write(mail.content)
                file.flush()
                os.fsync(file.fileno())
            unfinished.replace(path)
            _sync_folder(self._folder)
        except OSError as error:
            raise NotSent(f"the mail could not be written: {error}") from error
        log.info("mail kept: %s", path)

    def close(self) -> None:
        """Nothing is held open."""


class SmtpTransport:
    """One connection to the mail server for each thread, kept from mail to mail."""

    def __init__(self, url: str, *, per_minute: int = 0) -> None:
        self.breaker = Breaker()
        self.pace = Pace(per_minute)
        self._server = SmtpServer.at(url)
        self._of_thread = threading.local()

    def open(self) -> None:
        """Connect and sign in, unless this thread is connected; raises ServerAway."""
        self._connected()

    def send(self, mail: ReadyMail) -> None:
        """Hand the message over; raises NotSent, HungUp, CutOff, ServerAway, Refused."""
        self._connected().hand_over(mail)
        log.info("mail handed over: %s", mail.name)

    def close(self) -> None:
        """Say goodbye."""
        connection: SmtpConnection | None = getattr(self._of_thread, "connection", None)
        self._of_thread.connection = None
        if connection is not None:
            connection.close()

    def _connected(self) -> SmtpConnection:
        connection: SmtpConnection | None = getattr(self._of_thread, "connection", None)
        if connection is None or not connection.is_open:
            connection = self._of_thread.connection = SmtpConnection(self._server)
        return connection


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
