"""One connection to a mail server: mail after mail, each within a time that is known before."""

import smtplib
import socket
import ssl
import time
from dataclasses import dataclass
from functools import lru_cache
from urllib.parse import unquote, urlsplit

from webinar.mail.message import ReadyMail
from webinar.mail.verdicts import CutOff, HungUp, NotSent, ServerAway, verdict

# To open a connection: each of its few steps.
STEP_SECONDS = 10
# For one mail, from its sender to the server's last word. Shorter than the lease of a delivery.
MAIL_SECONDS = 10
# It may last longer by this.
A_LITTLE_SECONDS = 0.1
LONGEST_ANSWER = 64 * 1024
# The answers to sender, reader and content that let a mail pass; and the one that ends it all.
RIGHT = ((250,), (250, 251), (354,))
CLOSES = 421
SAME_MACHINE = frozenset({"localhost", "127.0.0.1", "::1"})


@dataclass(frozen=True)
class SmtpServer:
    """Where it is and how to get in.

    `smtp://user:password@host:587` encrypts as soon as the server offers it, and never sends a
    password in the clear to another machine; `smtps://host:465` encrypts from the start.
    """

    host: str
    port: int
    user: str
    password: str
    is_encrypted: bool

    @classmethod
    def at(cls, url: str) -> "SmtpServer":
        """Raises ValueError if the URL is none."""
        parts = urlsplit(url)
        if parts.scheme not in ("smtp", "smtps") or not parts.hostname:
            raise ValueError("SMTP_URL looks like smtp://user:password@host:587 or smtps://host")
        encrypted = parts.scheme == "smtps"
        return cls(
            host=parts.hostname,
            port=parts.port or (465 if encrypted else 25),
            user=unquote(parts.username or ""),
            password=unquote(parts.password or ""),
            is_encrypted=encrypted,
        )


class SmtpConnection:
    """Open until `close`, or until something went wrong: then `is_open` is False."""

    def __init__(self, server: SmtpServer) -> None:
        """Connect and sign in; raises ServerAway."""
        self.handed_over = 0
        self._begun = 0
        self._knows_reader = False
        self._unread = b""
        self._patience = 0.0
        try:
            self._smtp = _connected(server)
        except (OSError, smtplib.SMTPException) as error:
            # A refused password or greeting too: our mistake or theirs, but not the message's.
            raise ServerAway(f"the mail server could not be reached: {error}") from error
        if self._smtp.sock is None:
            raise ServerAway("the mail server hung up at once")
        self._socket: socket.socket = self._smtp.sock
        self._pipelines = self._smtp.has_extn("pipelining")
        self.is_open = True

    def hand_over(self, mail: ReadyMail) -> None:
        """Returning means that the server has it.

        Raises NotSent, HungUp, CutOff, ServerAway, Refused.
        """
        deadline = time.monotonic() + MAIL_SECONDS
        self._begun += 1
        self._knows_reader = False
        try:
            self._envelope(mail, deadline)
        except OSError as error:
            raise self._ended(f"the mail server hung up: {error}") from error
        try:
            self._write(_dotted(mail.content) + b".\r\n", deadline)
            code, words = self._answer(deadline)
        except OSError as error:
            # It may have it or not. The same Message-ID makes a second copy known for one.
            self._drop()
            raise NotSent(f"the mail server gave no last word: {error}") from error
        if code == CLOSES:
            raise self._ended(f"{code} {words}")
        if code != 250:
            raise verdict(code, words)
        self.handed_over += 1

    def close(self) -> None:
        """Say goodbye, without waiting long for an answer."""
        if not self.is_open:
            return
        try:
            self._write(b"QUIT\r\n", time.monotonic() + 1)
            self._answer(time.monotonic() + 1)
        except OSError:
            pass
        self._drop()

    def _envelope(self, mail: ReadyMail, deadline: float) -> None:
        """Up to the server's word that it listens to the content."""
        commands = (
            f"MAIL FROM:<{mail.sender}>\r\n".encode(),
            f"RCPT TO:<{mail.recipient}>\r\n".encode(),
            b"DATA\r\n",
        )
        if self._pipelines:
            self._knows_reader = True
            self._write(b"".join(commands), deadline)
            answers = self._answers(deadline)
        else:
            answers = []
            for command, right in zip(commands, RIGHT, strict=True):
                # What it says of us all it says before this.
                self._knows_reader = bool(answers)
                self._write(command, deadline)
                answers.append(self._answer(deadline))
                if answers[-1][0] not in right:
                    break
        if answers[0][0] != 250:
            # Not this reader's mail is refused but all of ours.
            code, words = answers[0]
            self.close()
            self._knows_reader = False
            said = f"the mail server does not take our mail: {code} {words}"
            raise self._ended(said) if code == CLOSES else ServerAway(said)
        for (code, words), right in zip(answers, RIGHT, strict=False):
            if code == CLOSES:
                raise self._ended(f"{code} {words}")
            if code not in right:
                listens = len(answers) == len(RIGHT) and answers[-1][0] == 354
                self._forget(deadline, listens=listens)
                raise verdict(code, words)

    def _answers(self, deadline: float) -> list[tuple[int, str]]:
        """To what was said at once; fewer if the connection ended behind a word against it."""
        answers: list[tuple[int, str]] = []
        for _ in RIGHT:
            try:
                answers.append(self._answer(deadline))
            except OSError:
                if all(code in right for (code, _), right in zip(answers, RIGHT, strict=False)):
                    raise
                self._drop()
                break
            if answers[-1][0] == CLOSES:
                break
        return answers

    def _ended(self, words: str) -> HungUp | CutOff | ServerAway:
        self._drop()
        if self._begun > 1:
            # Between two mails that is its right: so many on one connection, no more.
            return HungUp(words)
        return CutOff(words) if self._knows_reader else ServerAway(words)

    def _forget(self, deadline: float, *, listens: bool) -> None:
        """What it said of this mail counts, even if it hangs up behind it."""
        if not self.is_open:
            return
        try:
            if listens:
                # RFC 2920, 3.1: it wants the content although nobody is to read it.
                self._write(b".\r\n", deadline)
                self._answer(deadline)
            self._write(b"RSET\r\n", deadline)
            self._answer(deadline)
        except OSError:
            self._drop()

    def _write(self, text: bytes, deadline: float) -> None:
        self._wait_no_longer(deadline)
        self._socket.sendall(text)

    def _answer(self, deadline: float) -> tuple[int, str]:
        """Code and words, of one line or several; raises OSError if there is none in time."""
        words: list[str] = []
        while True:
            while b"\n" not in self._unread:
                self._wait_no_longer(deadline)
                more = self._socket.recv(8192)
                if not more:
                    raise ConnectionError("the connection ended")
                self._unread += more
                if len(self._unread) > LONGEST_ANSWER:
                    raise ConnectionError("the answer has no end")
            line, _, self._unread = self._unread.partition(b"\n")
            text = line.decode(errors="replace").rstrip()
            if not text[:3].isdecimal():
                raise ConnectionError(f"an answer without a code: {text[:80]}")
            words.append(text[4:])
            if text[3:4] != "-":
                return int(text[:3]), " ".join(words)

    def _wait_no_longer(self, deadline: float) -> None:
        # Told to the socket only if it matters: this is asked eight times a mail.
        left = _left(deadline)
        if abs(left - self._patience) > A_LITTLE_SECONDS:
            self._socket.settimeout(left)
            self._patience = left

    def _drop(self) -> None:
        self.is_open = False
        self._smtp.close()


def _connected(server: SmtpServer) -> smtplib.SMTP:
    connection: smtplib.SMTP
    if server.is_encrypted:
        connection = smtplib.SMTP_SSL(
            server.host, server.port, timeout=STEP_SECONDS, context=_trust()
        )
    else:
        connection = smtplib.SMTP(server.host, server.port, timeout=STEP_SECONDS)
    try:
        connection.ehlo_or_helo_if_needed()
        if not server.is_encrypted and server.host not in SAME_MACHINE:
            if connection.has_extn("starttls"):
                connection.starttls(context=_trust())
                connection.ehlo()
            elif server.user:
                raise smtplib.SMTPException("it offers no encryption, so the password was not sent")
        if server.user:
            connection.login(server.user, server.password)
    except (OSError, smtplib.SMTPException):
        connection.close()
        raise
    return connection


@lru_cache(maxsize=1)
def _trust() -> ssl.SSLContext:
    # Reading the authorities takes as long as many mails.
    return ssl.create_default_context()


def _left(deadline: float) -> float:
    left = deadline - time.monotonic()
    if left <= 0:
        raise TimeoutError("it took too long")
    return left


def _dotted(content: bytes) -> bytes:
    """RFC 5321, 4.5.2: a line of the mail that begins with a dot gets another one."""
    dotted = content.replace(b"\r\n.", b"\r\n..")
    return b"." + dotted if dotted.startswith(b".") else dotted
