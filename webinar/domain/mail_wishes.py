"""Which mails a person may refuse, and what comes back from addresses that do not work."""

from enum import StrEnum


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
