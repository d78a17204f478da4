"""From a letter to a message: three templates a kind, text first, nothing that tracks."""

import hashlib
import re
from dataclasses import dataclass
from datetime import datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime, parseaddr
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape

from webinar.domain import wording
from webinar.domain.letter import Letter

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
    ) -> None:
        self._public_url = public_url
        self._site_name = site_name
        name, address = parseaddr(sender)
        self._sender = Address(display_name=name, addr_spec=address)
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

    def compose(self, letter: Letter, *, now: datetime) -> EmailMessage:
        """The message as it goes out; composing it again gives the same Message-ID."""
        parts = self.parts(letter, now=now)
        message = EmailMessage(policy=SMTP)
        message["From"] = self._sender
        message["To"] = Address(display_name=letter.name, addr_spec=letter.email)
        message["Subject"] = parts.subject
        message["Date"] = format_datetime(now)
        message["Message-ID"] = self._message_id(letter)
        # RFC 3834: answering machines leave this one alone.
        message["Auto-Submitted"] = "auto-generated"
        message.set_content(parts.text, cte="quoted-printable")
        message.add_alternative(parts.html, subtype="html", cte="quoted-printable")
        return message

    def parts(self, letter: Letter, *, now: datetime) -> Parts:
        """Subject, text and HTML."""
        text = BLANK_LINES.sub("\n\n", self._render(letter, "body.txt", now))
        return Parts(
            subject=" ".join(self._render(letter, "subject.txt", now).split()),
            text=text.strip() + "\n",
            html=self._render(letter, "body.html", now),
        )

    def _render(self, letter: Letter, part: str, now: datetime) -> str:
        return self._templates.get_template(f"{letter.kind}/{part}").render(
            letter=letter,
            now=now,
            home_zone=self._home_zone,
            public_url=self._public_url,
            site_name=self._site_name,
        )

    def _message_id(self, letter: Letter) -> str:
        # Two copies of one mail, after a server died at the wrong moment, are known for one.
        digest = hashlib.sha256(letter.key.encode()).hexdigest()[:32]
        return f"<{letter.kind}.{digest}@{self._sender.domain}>"
