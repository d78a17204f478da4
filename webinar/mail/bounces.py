"""What comes back: reports that a mail could not be delivered, and that somebody calls it spam.

Delivery reports are RFC 3464, complaints RFC 5965. Which mail it was says the mark in the address
that mail server returned it to, which no reader of the mail is shown. The mark in its Message-ID is
there for everybody it was forwarded to: it counts only where there is no such address, and proves
nothing. Without a mark of ours a report changes nothing, whoever sends it.

Anybody can send anything here: the work is bounded, and what costs more is no report.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from email import message_from_bytes, policy
from email.errors import MessageError
from email.message import Message
from enum import StrEnum

from webinar.domain.mail_marks import MarkedMail, read_message_mark, read_return_mark
from webinar.mail.verdicts import NO_SUCH_ADDRESS

LARGEST_REPORT = 1_000_000
# The report, the mail it brings back, and some that others put around them.
MOST_BOUNDARIES = 20
LONGEST_KIND = 2_000
MARK_BEHIND_PLUS = re.compile(r"\+([a-z2-7]{40})@", re.I)
MARK_OF_ID = re.compile(r"<\w{1,40}\.([a-z2-7]{40})@", re.I)
SENT_TO = frozenset({"to", "delivered-to", "x-original-to", "envelope-to", "original-recipient"})
KIND = re.compile(rb"^content-type:.*(?:\n[ \t].*)*", re.I | re.M)
BOUNDARY = re.compile(rb"boundary\s*[*=]", re.I)
LINE_END = re.compile(rb"\r\n?")
MAIL_BROUGHT_BACK = frozenset({"message/rfc822", "message/global"})
HEAD_BROUGHT_BACK = frozenset({"text/rfc822-headers", "message/global-headers"})
END_OF_HEAD = re.compile(r"\n[ \t]*\n")
MESSAGE_ID = re.compile(r"^message-id:(.*(?:\n[ \t].*)*)", re.I | re.M)
RETURN_PATH = re.compile(r"^return-path:(.*)", re.I | re.M)
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

    mail: MarkedMail
    what: What
    is_lasting: bool
    """Nothing will ever reach the address; False: this mail did not."""
    words: str
    """What the other server said."""
    is_proved: bool
    """The mark is one that only mail servers see; else anybody who saw the mail may say so."""


@dataclass(frozen=True)
class _Marks:
    of_return: list[str]
    of_message: list[str]


def read_report(
    content: bytes, *, secret: str, sent_to: str = "", has_return_address: bool = False
) -> ReturnReport:
    """Raises NoReport, NotOurs. `sent_to` is the envelope's recipient, if the mail server tells.

    With `has_return_address` every mail left with a mark in it, and no other mark is believed.
    """
    content = LINE_END.sub(b"\n", content)
    _refuse_costly(content)
    try:
        message = message_from_bytes(content, policy=policy.compat32)
        what, is_lasting, words = _said(message)
        marks = _marks(message, sent_to)
    except RecursionError as error:
        raise NoReport("The message cannot be read: too much of it is in one another.") from error
    except (MessageError, ValueError, LookupError, AttributeError, TypeError) as error:
        # The parser of the standard library trips over what it should refuse.
        raise NoReport(f"The message cannot be read: {error}.") from error
    for mark in marks.of_return:
        if (mail := read_return_mark(secret, mark)) is not None:
            return ReturnReport(mail, what, is_lasting, words, is_proved=True)
    for mark in () if has_return_address else marks.of_message:
        if (mail := read_message_mark(secret, mark)) is not None:
            return ReturnReport(mail, what, False, words, is_proved=False)
    if what is What.OTHER:
        raise NoReport("It is no report: an answer, or a machine that is away.")
    raise NotOurs("It is about no mail of ours: no mark in it is one that we made.")


def _refuse_costly(content: bytes) -> None:
    """Raises NoReport for what the parser takes minutes over: every line at every boundary."""
    if len(content) > LARGEST_REPORT:
        raise NoReport("The message is too large.")
    if sum(1 for _ in BOUNDARY.finditer(content)) > MOST_BOUNDARIES:
        raise NoReport("The message has too many parts.")
    if any(len(kind[0]) > LONGEST_KIND for kind in KIND.finditer(content)):
        raise NoReport("The message has a part of no known kind.")


def _said(message: Message) -> tuple[What, bool, str]:
    for part in message.walk():
        kind = part.get_content_type()
        if kind == "message/feedback-report":
            fields = _fields(part)
            if fields.get("feedback-type", "").lower() == "not-spam":
                return What.OTHER, False, "not spam after all"
            told = f"feedback: {fields.get('feedback-type', 'abuse')}"
            return What.COMPLAINT, True, told[:LONGEST_WORDS]
        if kind in ("message/delivery-status", "message/global-delivery-status"):
            return _delivery_status(part)
    return What.OTHER, False, ""


def _delivery_status(part: Message) -> tuple[What, bool, str]:
    fields = _fields(part)
    action = fields.get("action", "").lower()
    status = STATUS.search(fields.get("status", ""))
    code = status[0] if status else ""
    words = (fields.get("diagnostic-code", "") or f"{action} {code}".strip())[:LONGEST_WORDS]
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
    fields: dict[str, str] = {}
    for block in blocks:
        if isinstance(block, Message):
            # The parser knows the blocks of RFC 3464; of RFC 6533 the second is the first's text.
            rest = [] if block.is_multipart() else message_from_bytes(_bytes_of(block)).raw_items()
            for name, value in (*block.raw_items(), *rest):
                fields[name.lower()] = _one_line(value)
    return fields


def _marks(message: Message, sent_to: str) -> _Marks:
    """Every mark there is, the most certain first; out of raw text, whatever it claims to be."""
    of_return = MARK_BEHIND_PLUS.findall(sent_to)
    for name, value in message.raw_items():
        if name.lower() in SENT_TO:
            of_return += MARK_BEHIND_PLUS.findall(str(value))
    of_message: list[str] = []
    for part in message.walk():
        if part.get_content_type() == "message/feedback-report":
            # Loops of complaints have one address for all: the report names the return address.
            of_return += MARK_BEHIND_PLUS.findall(_fields(part).get("original-mail-from", ""))
    for head in _heads_brought_back(message):
        for path in RETURN_PATH.findall(head):
            of_return += MARK_BEHIND_PLUS.findall(path)
        for message_id in MESSAGE_ID.findall(head):
            of_message += MARK_OF_ID.findall(message_id)
    return _Marks(of_return, of_message)


def _heads_brought_back(message: Message) -> Iterator[str]:
    """The headers of mails inside the report; its own words and its own headers prove nothing."""
    for part in message.walk():
        kind = part.get_content_type()
        if kind in HEAD_BROUGHT_BACK and not part.is_multipart():
            yield END_OF_HEAD.split(_text_of(part).lstrip(), maxsplit=1)[0]
        elif kind in MAIL_BROUGHT_BACK | HEAD_BROUGHT_BACK and part.is_multipart():
            for inner in part.get_payload():
                if isinstance(inner, Message):
                    yield "\n".join(f"{name}: {value}" for name, value in inner.raw_items())


def _one_line(value: object) -> str:
    """As text that every database takes."""
    text = str(value).encode("utf-8", "surrogateescape").decode("utf-8", "replace")
    return " ".join("".join(one if one.isprintable() else " " for one in text).split())


def _text_of(part: Message) -> str:
    return _bytes_of(part).decode("utf-8", "replace")


def _bytes_of(part: Message) -> bytes:
    payload = part.get_payload(decode=True)
    return payload if isinstance(payload, bytes) else b""
