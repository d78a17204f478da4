from datetime import UTC, datetime, timedelta

import pytest

from webinar.domain.mail_marks import (
    MarkedMail,
    message_mark,
    read_message_mark,
    read_return_mark,
    read_stop_token,
    return_mark,
    stop_token,
)
from webinar.domain.mail_wishes import MailTopic

SECRET = "a secret of the tests, long enough to start"
QUEUED = datetime(2026, 11, 26, 17, 15, 30, 250_000, tzinfo=UTC)
SECOND = QUEUED.replace(microsecond=0)


@pytest.mark.parametrize("topic", MailTopic)
def test_a_link_says_whose_wish_about_what(topic: MailTopic) -> None:
    token = stop_token(SECRET, 4711, topic)

    assert read_stop_token(SECRET, token) == (4711, topic)


def test_the_links_of_all_topics_look_alike() -> None:
    tokens = {stop_token(SECRET, user_id, topic) for user_id in (1, 2**40) for topic in MailTopic}

    assert len(tokens) == 2 * len(MailTopic)
    assert {len(token) for token in tokens} == {59}


def test_a_mark_says_which_mail_in_letters_of_either_case() -> None:
    mark = return_mark(SECRET, 4711, QUEUED)

    assert read_return_mark(SECRET, mark) == MarkedMail(4711, SECOND)
    assert read_return_mark(SECRET, mark.upper()) == MarkedMail(4711, SECOND)
    assert len(f"webinar-bounces+{mark}") <= 64  # RFC 5321, 4.5.3.1.1


def test_the_number_of_a_mail_that_is_given_again_makes_another_mark() -> None:
    later = QUEUED + timedelta(seconds=1)

    assert return_mark(SECRET, 4711, later) != return_mark(SECRET, 4711, QUEUED)
    assert read_return_mark(SECRET, return_mark(SECRET, 4711, later)) == MarkedMail(
        4711, SECOND + timedelta(seconds=1)
    )


def test_who_reads_the_message_id_does_not_know_the_return_address() -> None:
    seen = message_mark(SECRET, 4711, QUEUED)

    assert read_message_mark(SECRET, seen) == MarkedMail(4711, SECOND)
    assert read_return_mark(SECRET, seen) is None
    assert read_message_mark(SECRET, return_mark(SECRET, 4711, QUEUED)) is None


def test_a_mark_with_any_letter_changed_is_none() -> None:
    mark = return_mark(SECRET, 4711, QUEUED)

    changed = {
        mark[:at] + ("b" if letter == "a" else "a") + mark[at + 1 :]
        for at, letter in enumerate(mark)
    }

    assert {read_return_mark(SECRET, other) for other in changed} == {None}


def test_a_link_with_any_letter_changed_is_none() -> None:
    token = stop_token(SECRET, 4711, MailTopic.DIGEST)

    # The last letter of base64 carries bits that stand for nothing.
    changed = {
        token[:at] + ("B" if letter == "A" else "A") + token[at + 1 :]
        for at, letter in enumerate(token[:-1])
    }

    assert {read_stop_token(SECRET, other) for other in changed} == {None}


def test_marks_of_another_secret_or_purpose_are_none() -> None:
    other = "another secret of the tests, as long as it"

    assert read_return_mark(other, return_mark(SECRET, 1, QUEUED)) is None
    assert read_stop_token(other, stop_token(SECRET, 1, MailTopic.DIGEST)) is None
    assert read_stop_token(SECRET, return_mark(SECRET, 1, QUEUED)) is None


@pytest.mark.parametrize("token", ["", "a", "é", "====", "../..", "a" * 500])
def test_what_never_was_a_mark_is_none(token: str) -> None:
    assert read_return_mark(SECRET, token) is None
    assert read_stop_token(SECRET, token) is None
