"""Which mails can be refused: a table, and what holds for who said nothing."""

import pytest

from webinar.domain.letter import MailKind
from webinar.domain.mail_wishes import (
    REMINDED_BEFORE,
    TOPICS,
    MailTopic,
    is_wanted,
    topic_of,
)

ALWAYS_SENT = {
    MailKind.VERIFY_EMAIL,
    MailKind.ALREADY_REGISTERED,
    MailKind.SIGN_IN_LINK,
    MailKind.REGISTRATION_CONFIRMED,
    MailKind.SERIES_REGISTERED,
    MailKind.SESSION_MOVED,
    MailKind.SESSION_CANCELLED,
    MailKind.SESSION_RESTORED,
    MailKind.EXTENSION_GRANTED,
    MailKind.EXTENSION_WITHDRAWN,
    MailKind.EXTENSION_DECLINED,
    MailKind.APPEAL_ANSWERED,
    MailKind.CERTIFICATE_READY,
    MailKind.ROLE_INVITED,
    MailKind.FACULTY_INVITED,
    MailKind.REPORT_DUE,
}


def test_what_answers_a_person_or_changes_their_plans_is_always_sent() -> None:
    assert {kind for kind in MailKind if topic_of(kind) is None} == ALWAYS_SENT


@pytest.mark.parametrize(
    ("kind", "topic"),
    [
        (MailKind.SESSION_TOMORROW, MailTopic.REMINDER_DAY),
        (MailKind.SESSION_REMINDER, MailTopic.REMINDER_HOUR),
        (MailKind.RECORDING_PUBLISHED, MailTopic.RECORDING),
        (MailKind.RECORDING_CLOSING, MailTopic.RECORDING_CLOSING),
        (MailKind.CREDIT_PENDING, MailTopic.CREDIT_REMINDER),
        (MailKind.WEEKLY_DIGEST, MailTopic.DIGEST),
        (MailKind.FACULTY_REMINDER, MailTopic.FACULTY_REMINDER),
    ],
)
def test_every_other_mail_has_a_topic_of_its_own(kind: MailKind, topic: MailTopic) -> None:
    assert [one for one in MailKind if topic_of(one) is topic] == [kind]


def test_every_topic_has_words_and_at_least_one_mail() -> None:
    assert set(TOPICS) == set(MailTopic)
    assert {topic_of(kind) for kind in MailKind} == {None, *MailTopic}


def test_only_the_digest_waits_to_be_asked_for() -> None:
    assert [topic for topic in MailTopic if not is_wanted(topic, None)] == [MailTopic.DIGEST]


@pytest.mark.parametrize("topic", MailTopic)
@pytest.mark.parametrize("said", [True, False])
def test_what_a_person_said_comes_before_the_default(topic: MailTopic, said: bool) -> None:
    assert is_wanted(topic, said) is said


def test_reminders_leave_a_day_and_an_hour_ahead() -> None:
    hours = {kind: before.total_seconds() / 3600 for kind, before in REMINDED_BEFORE.items()}

    assert hours == {MailKind.SESSION_TOMORROW: 24, MailKind.SESSION_REMINDER: 1}
