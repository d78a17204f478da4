"""From a letter to a message: three templates a kind, text first, nothing that tracks."""

import binascii
import re
from dataclasses import dataclass, replace
from datetime import datetime
from email.header import Header
from email.headerregistry import Address
from email.policy import SMTP
from email.utils import format_datetime, parseaddr
from functools import lru_cache
from pathlib import Path
from textwrap import wrap

from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape
from markupsafe import escape

from webinar.domain import wording
from webinar.domain.letter import NOBODYS, Letter
from webinar.domain.mail_marks import message_mark, return_mark, stop_token
from webinar.domain.mail_wishes import topic_of
from webinar.mail.message import ReadyMail

# Stand for the reader in words that are made once for many; nobody can type these by accident.
NAME = "\ue000"
STOP = "\ue001"
WORDED_ALIKE = 512
# RFC 2046, 5.1.1; quoted-printable never has "=_" in it.
BOUNDARY = "=_text_and_html"
# RFC 3834: answering machines leave this one alone.
ENDING_OF_HEAD = (
    "Auto-Submitted: auto-generated\r\n"
    "MIME-Version: 1.0\r\n"
    f'Content-Type: multipart/alternative; boundary="{BOUNDARY}"\r\n\r\n'
)
# Stands between quotes as it is, and on one line with any address.
PLAIN_NAME = re.compile(r"[A-Za-z0-9 .,'()-]+")
SHORT = 60
CRLF = "\r\n"
LINE = 78  # RFC 5322, 2.1.1
BLANK_LINES = re.compile(r"\n{3,}")
WORDS = (
    wording.city_of_zone,
    wording.day_month,
    wording.deadline,
    wording.local_date,
    wording.local_moment,
    wording.local_time,
    wording.local_time_range,
    wording.long_date,
    wording.plural,
    wording.relative,
    wording.same_clock,
    wording.same_date,
    wording.unusual_difference,
    wording.weekday_name,
    wording.zone_abbreviation,
)


@dataclass(frozen=True)
class Parts:
    """A mail in words, before it is wrapped."""

    subject: str
    text: str
    html: str


class Composer:
    """Turns letters into messages; made once, from the settings."""

    def __init__(
        self,
        folder: Path,
        *,
        public_url: str,
        site_name: str,
        sender: str,
        home_zone: str,
        secret: str,
        return_address: str = "",
    ) -> None:
        """`return_address` gets what comes back, with a mark of the mail; "": the sender does."""
        self._public_url = public_url
        self._site_name = site_name
        name, address = parseaddr(sender)
        self._sender = Address(display_name=name, addr_spec=address)
        self._from = str(SMTP.header_factory("From", self._sender).fold(policy=SMTP))
        self._secret = secret
        self._return_address = return_address
        self._words = lru_cache(WORDED_ALIKE)(self._put_into_words)
        self._home_zone = home_zone
        self._templates = Environment(
            loader=FileSystemLoader(folder),
            undefined=StrictUndefined,
            autoescape=select_autoescape(["html"]),
            trim_blocks=True,
            lstrip_blocks=True,
            keep_trailing_newline=True,
        )
        self._templates.filters.update({word.__name__: word for word in WORDS})

    def compose(self, letter: Letter, *, now: datetime) -> ReadyMail:
        """The message as it goes out; composing it again gives the same Message-ID.

        What many people are told alike is put into words once a minute, and their names are
        filled in.
        """
        message_id = self._message_id(letter)
        is_secret = letter.link is not None or letter.faculty is not None
        put_into_words = self._put_into_words if is_secret else self._words
        words = put_into_words(_without_person(letter), now.replace(second=0, microsecond=0))
        stop_url = self._stop_url(letter)
        text = words.text.replace(NAME, letter.name).replace(STOP, stop_url)
        html = words.html.replace(NAME, escape(letter.name)).replace(STOP, escape(stop_url))
        head = [
            self._from,
            _to_line(letter.name, letter.email),
            words.subject
            if NAME not in words.subject
            else _subject_line(words.subject.replace(NAME, letter.name)),
            f"Date: {format_datetime(now)}\r\n",
            f"Message-ID: <{message_id}>\r\n",
            *self._stop_lines(stop_url),
            ENDING_OF_HEAD,
        ]
        return ReadyMail(
            name=f"{letter.kind}-{letter.delivery_id}",
            message_id=message_id,
            sender=self._return_path(letter),
            recipient=letter.email,
            content=b"".join(
                (
                    "".join(head).encode("ascii"),
                    _part("plain", text),
                    _part("html", html),
                    f"--{BOUNDARY}--\r\n".encode(),
                )
            ),
        )

    def parts(self, letter: Letter, *, now: datetime) -> Parts:
        """Subject, text and HTML."""
        return self._rendered(letter, now, self._stop_url(letter))

    def _put_into_words(self, letter: Letter, now: datetime) -> Parts:
        may_stop = topic_of(letter.kind) is not None
        parts = self._rendered(letter, now, STOP if may_stop else "")
        if NAME in parts.subject:
            return parts
        return replace(parts, subject=_subject_line(parts.subject))

    def _rendered(self, letter: Letter, now: datetime, stop_url: str) -> Parts:
        text = BLANK_LINES.sub("\n\n", self._render(letter, "body.txt", now, stop_url))
        return Parts(
            subject=" ".join(self._render(letter, "subject.txt", now, stop_url).split()),
            text=text.strip() + "\n",
            html=self._render(letter, "body.html", now, stop_url),
        )

    def _render(self, letter: Letter, part: str, now: datetime, stop_url: str) -> str:
        return self._templates.get_template(f"{letter.kind}/{part}").render(
            letter=letter,
            now=now,
            home_zone=self._home_zone,
            public_url=self._public_url,
            site_name=self._site_name,
            stop_url=stop_url,
        )

    def _message_id(self, letter: Letter) -> str:
        # Two copies of one mail, after a server died at the wrong moment, are known for one.
        mark = message_mark(self._secret, letter.delivery_id, letter.created_at)
        return f"{letter.kind}.{mark}@{self._sender.domain}"

    def _return_path(self, letter: Letter) -> str:
        mailbox, at, host = self._return_address.rpartition("@")
        if not at:
            return self._sender.addr_spec
        mark = return_mark(self._secret, letter.delivery_id, letter.created_at)
        return f"{mailbox}+{mark}@{host}"

    def _stop_url(self, letter: Letter) -> str:
        topic = topic_of(letter.kind)
        if topic is None:
            return ""
        return f"{self._public_url}/unsubscribe/{stop_token(self._secret, letter.user_id, topic)}"

    def _stop_lines(self, stop_url: str) -> list[str]:
        if not stop_url:
            return []
        lines = [f"List-Unsubscribe: <{stop_url}>\r\n", "Precedence: bulk\r\n"]
        if stop_url.startswith("https://"):
            # RFC 8058, 3.1: a mail program may only press the button of an https address.
            lines.append("List-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n")
        return lines


def _without_person(letter: Letter) -> Letter:
    return replace(
        letter, key="", email="", name=NAME, user_id=0, delivery_id=0, created_at=NOBODYS
    )


def _subject_line(subject: str) -> str:
    if not subject.isascii():
        return (
            f"Subject: {Header(subject, 'utf-8', header_name='Subject').encode(linesep=CRLF)}{CRLF}"
        )
    # Between words there is one space: where a line ends there, it comes back when read.
    lines = wrap(f"Subject: {subject}", LINE, break_long_words=False, break_on_hyphens=False)
    return f"{CRLF} ".join(lines) + CRLF


def _to_line(name: str, email: str) -> str:
    if len(name) <= SHORT and PLAIN_NAME.fullmatch(name):
        return f'To: "{name}" <{email}>\r\n'
    address = Address(display_name=name, addr_spec=email)
    return str(SMTP.header_factory("To", address).fold(policy=SMTP))


def _part(kind: str, words: str) -> bytes:
    lines = words.replace("\r\n", "\n").replace("\n", "\r\n").encode()
    head = (
        f"--{BOUNDARY}\r\n"
        f'Content-Type: text/{kind}; charset="utf-8"\r\n'
        "Content-Transfer-Encoding: quoted-printable\r\n\r\n"
    )
    return head.encode() + binascii.b2a_qp(lines, istext=True) + b"\r\n"
