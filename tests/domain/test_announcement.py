"""What is new to somebody, by what they know."""

from datetime import UTC, datetime, timedelta

import pytest

from webinar.domain.announcement import Standing, what_to_say
from webinar.domain.letter import MailKind

THURSDAY = datetime(2026, 11, 26, 17, 15, tzinfo=UTC)
HOUR = timedelta(hours=1)


def standing(*, at: datetime = THURSDAY, takes_place: bool = True) -> Standing:
    return Standing(takes_place, at, at + HOUR)


ON, MOVED = standing(), standing(at=THURSDAY + HOUR)
OFF, MOVED_AND_OFF = standing(takes_place=False), standing(at=THURSDAY + HOUR, takes_place=False)


@pytest.mark.parametrize(
    ("known", "stands", "news"),
    [
        (ON, ON, None),
        (ON, MOVED, MailKind.SESSION_MOVED),
        (ON, Standing(True, THURSDAY, THURSDAY + 2 * HOUR), MailKind.SESSION_MOVED),
        (ON, OFF, MailKind.SESSION_CANCELLED),
        (ON, MOVED_AND_OFF, MailKind.SESSION_CANCELLED),
        (OFF, OFF, None),
        (OFF, MOVED_AND_OFF, None),
        (OFF, ON, MailKind.SESSION_RESTORED),
        (OFF, MOVED, MailKind.SESSION_RESTORED),
    ],
)
def test_only_what_is_new_is_said(known: Standing, stands: Standing, news: MailKind | None) -> None:
    assert what_to_say(known, stands) is news


@pytest.mark.parametrize("known", [ON, OFF])
def test_a_delivery_keeps_what_is_known(known: Standing) -> None:
    assert Standing.from_details(known.as_details()) == known


def test_a_delivery_of_another_kind_keeps_nothing() -> None:
    assert Standing.from_details({"token": "x"}) is None
