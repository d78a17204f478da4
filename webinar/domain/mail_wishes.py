"""Which mails a person may refuse, and what comes back from addresses that do not work."""

from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

from webinar.domain.letter import MailKind

REMINDED_BEFORE: dict[MailKind, timedelta] = {
    MailKind.SESSION_TOMORROW: timedelta(days=1),
    MailKind.SESSION_REMINDER: timedelta(hours=1),
}
"""How long before the start of a session each reminder leaves."""


class MailTopic(StrEnum):
    """Kinds of mail that people choose together. What belongs to none is always sent."""

    REMINDER_DAY = "reminder_day"
    REMINDER_HOUR = "reminder_hour"
    RECORDING = "recording"
    RECORDING_CLOSING = "recording_closing"
    CREDIT_REMINDER = "credit_reminder"
    DIGEST = "digest"
    FACULTY_REMINDER = "faculty_reminder"


class AddressTrouble(StrEnum):
    """Why mail to an address is held back."""

    RETURNED = "returned"
    """Nothing reaches it: a lasting failure (RFC 3463 class 5)."""
    DELAYED = "delayed"
    """It fails now and then (class 4): counted, and still sent."""
    COMPLAINED = "complained"
    """The person told their provider that it is spam (RFC 5965)."""


class WishSource(StrEnum):
    """Where a wish was said."""

    PAGE = "page"
    ONE_CLICK = "one-click"
    COMPLAINT = "complaint"


@dataclass(frozen=True, kw_only=True)
class TopicWords:
    """What a topic is called on a switch, and what it brings and when."""

    name: str
    what: str
    is_default: bool
    """Holds for who never said anything."""


TOPICS: dict[MailTopic, TopicWords] = {
    MailTopic.REMINDER_DAY: TopicWords(
        name="A day before a session",
        what="One mail 24 hours before a session you registered for.",
        is_default=True,
    ),
    MailTopic.REMINDER_HOUR: TopicWords(
        name="An hour before a session",
        what="One mail with the link to join, 60 minutes before the start.",
        is_default=True,
    ),
    MailTopic.RECORDING: TopicWords(
        name="A recording is ready",
        what="One mail when the recording of a session you registered for can be watched.",
        is_default=True,
    ),
    MailTopic.RECORDING_CLOSING: TopicWords(
        name="A recording closes soon",
        what="One mail a week before the end, if you have not finished watching.",
        is_default=True,
    ),
    MailTopic.CREDIT_REMINDER: TopicWords(
        name="Your credit waits for you",
        what="One mail two days before the deadline of an evaluation or a test that is still open.",
        is_default=True,
    ),
    MailTopic.DIGEST: TopicWords(
        name="The week's sessions",
        what="One mail on Monday morning with the sessions of the week; none in weeks without.",
        is_default=False,
    ),
    MailTopic.FACULTY_REMINDER: TopicWords(
        name="What you owe as faculty",
        what="One mail when a disclosure, a title or slides of yours come due.",
        is_default=True,
    ),
}

_TOPIC_OF: dict[MailKind, MailTopic] = {
    MailKind.SESSION_TOMORROW: MailTopic.REMINDER_DAY,
    MailKind.SESSION_REMINDER: MailTopic.REMINDER_HOUR,
    MailKind.RECORDING_PUBLISHED: MailTopic.RECORDING,
    MailKind.RECORDING_CLOSING: MailTopic.RECORDING_CLOSING,
    MailKind.CREDIT_PENDING: MailTopic.CREDIT_REMINDER,
    MailKind.WEEKLY_DIGEST: MailTopic.DIGEST,
    MailKind.FACULTY_REMINDER: MailTopic.FACULTY_REMINDER,
}


def topic_of(kind: MailKind) -> MailTopic | None:
    """What a mail of this kind is refused under; None: it is necessary and always sent."""
    return _TOPIC_OF.get(kind)


def is_wanted(topic: MailTopic, said: bool | None) -> bool:
    """What holds when the person said this about the topic, or nothing (None)."""
    return TOPICS[topic].is_default if said is None else said
