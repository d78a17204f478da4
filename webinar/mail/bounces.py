"""What comes back: reports that a mail could not be delivered, and that somebody calls it spam.

Delivery reports are RFC 3464, complaints RFC 5965. Which mail it was says the mark in the address
the report was sent to, or the one in the Message-ID of the mail it brings back; without a mark of
ours a report changes nothing, whoever sends it.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from email import message_from_bytes, policy
from email.errors import MessageError
from email.message import Message
from email.utils import getaddresses
from enum import StrEnum

from webinar.domain.mail_marks import read_return_mark
from webinar.mail.verdicts import NO_SUCH_ADDRESS

MARK_BEHIND_PLUS = re.compile(r"\+([a-z2-7]{32})@", re.I)
MARK_OF_ID = re.compile(r"<\w+\.([a-z2-7]{32})@", re.I)
SENT_TO = ("To", "Delivered-To", "X-Original-To", "Envelope-To", "Original-Recipient")
STATUS = re.compile(r"([245])\.\d{1,3}\.\d{1,3}")
LONGEST_WORDS = 500


class What(StrEnum):
    """What the report says of the mail."""

    FAILED = "failed"
    DELAYED = "delayed"
    COMPLAINT = "complaint"
    OTHER = "other"


class NoReport(Exception):
    """It cannot be read, or is no report at all; the message says which."""


class NotOurs(Exception):
    """A report without a mark of ours: another's, or forged."""


@dataclass(frozen=True)
class ReturnReport:
    """One mail of ours, and what became of it."""

    delivery_id: int
    what: What
    is_lasting: bool
    """Nothing will ever reach the address; False: this mail did not."""
    words: str
    """What the other server said."""


def read_report(content: bytes, *, secret: str, sent_to: str = "") -> ReturnReport:
    """Raises NoReport, NotOurs. `sent_to` is the envelope's recipient, if the mail server tells."""
    try:
        message = message_from_bytes(content, policy=policy.default)
        what, is_lasting, words = _said(message)
        marks = list(_marks(message, sent_to))
    except (MessageError, ValueError, LookupError, AttributeError, TypeError) as error:
        # The parser of the standard library trips over what it should refuse.
        raise NoReport(f"The message cannot be read: {error}.") from error
    for mark in marks:
        if (delivery_id := read_return_mark(secret, mark)) is not None:
            return ReturnReport(delivery_id, what, is_lasting, words[:LONGEST_WORDS])
    if what is What.OTHER:
        raise NoReport("It is no report: an answer, or a machine that is away.")
    raise NotOurs("It is about no mail of ours: no mark in it is one that we made.")


def _said(message: Message) -> tuple[What, bool, str]:
    for part in message.walk():
        kind = part.get_content_type()
        if kind == "message/feedback-report":
            fields = _fields(part)
            if fields.get("feedback-type", "").lower() == "not-spam":
                return What.OTHER, False, "not spam after all"
            return What.COMPLAINT, True, f"feedback: {fields.get('feedback-type', 'abuse')}"
        if kind in ("message/delivery-status", "message/global-delivery-status"):
            return _delivery_status(part)
    return What.OTHER, False, ""


def _delivery_status(part: Message) -> tuple[What, bool, str]:
    fields = _fields(part)
    action = fields.get("action", "").lower()
    status = STATUS.search(fields.get("status", ""))
    code = status[0] if status else ""
    words = fields.get("diagnostic-code", "") or f"{action} {code}".strip()
    if action == "delayed":
        return What.DELAYED, False, words
    if action != "failed":
        # Delivered, relayed, expanded: nobody has to do anything.
        return What.OTHER, False, words
    if code in ("", "5.0.0") and (told := STATUS.search(words)) is not None:
        # Some say it only in the words of the other server.
        code = told[0]
    # Refused for what it says or how big it is, or a mailbox that is full: not for good.
    return What.FAILED, bool(NO_SUCH_ADDRESS.fullmatch(code)), words


def _fields(part: Message) -> dict[str, str]:
    """Of all its blocks: the first is about the server that reports, the next about one reader.

    A mail of ours has one reader.
    """
    payload = part.get_payload()
    blocks = payload if isinstance(payload, list) else [message_from_bytes(_bytes_of(part))]
    return {
        name.lower(): " ".join(str(value).split())
        for block in blocks
        if isinstance(block, Message)
        for name, value in block.items()
    }


def _marks(message: Message, sent_to: str) -> Iterator[str]:
    """Every mark there is, the most certain first."""
    addresses = [sent_to]
    for name in SENT_TO:
        addresses += [
            address
            for _, address in getaddresses([str(value) for value in message.get_all(name, [])])
        ]
    for address in addresses:
        yield from MARK_BEHIND_PLUS.findall(address)
    for part in message.walk():
        if part.get_content_maintype() == "text" or not part.is_multipart():
            yield from MARK_OF_ID.findall(_text_of(part))
        # The mail itself, brought back whole.
        yield from MARK_OF_ID.findall(str(part.get("Message-ID", "")))
        yield from MARK_OF_ID.findall(str(part.get("In-Reply-To", "")))


def _text_of(part: Message) -> str:
    return _bytes_of(part).decode("utf-8", "replace")


def _bytes_of(part: Message) -> bytes:
    payload = part.get_payload(decode=True)
    return payload if isinstance(payload, bytes) else b""
