from datetime import UTC, datetime, timedelta

import pytest

from webinar.domain.registration import (
    NotOpenYet,
    RegistrationClosed,
    SessionCancelled,
    ensure_may_register,
)
from webinar.domain.session import SessionStatus

ENDS = datetime(2026, 11, 26, 18, 0, tzinfo=UTC)
CLOSES = datetime(2027, 5, 26, 17, 0, tzinfo=UTC)
BEFORE = ENDS - timedelta(days=3)
SECOND = timedelta(seconds=1)


@pytest.mark.parametrize(
    ("status", "closes", "now"),
    [
        (SessionStatus.PUBLISHED, None, BEFORE),
        (SessionStatus.PUBLISHED, None, ENDS - SECOND),
        (SessionStatus.PUBLISHED, CLOSES, ENDS),
        (SessionStatus.LIVE, None, ENDS - SECOND),
        (SessionStatus.LIVE, None, ENDS + timedelta(minutes=12)),
        (SessionStatus.ENDED, CLOSES, ENDS - timedelta(minutes=5)),
        (SessionStatus.ENDED, CLOSES, ENDS),
        (SessionStatus.ENDED, CLOSES, CLOSES - SECOND),
    ],
)
def test_a_person_may_register_before_live_and_while_the_recording_is_open(status, closes, now):
    ensure_may_register(status, ENDS, recording_closes_at=closes, now=now)


@pytest.mark.parametrize(
    ("status", "closes", "now", "refusal", "code", "sentence"),
    [
        (
            SessionStatus.DRAFT,
            None,
            BEFORE,
            NotOpenYet,
            404,
            "There is no such session, or it is not announced yet.",
        ),
        (
            SessionStatus.CANCELLED,
            CLOSES,
            BEFORE,
            SessionCancelled,
            409,
            "This session is cancelled. Choose another one from the schedule.",
        ),
        (
            SessionStatus.PUBLISHED,
            None,
            ENDS,
            RegistrationClosed,
            410,
            "This session is over and has no recording to watch. "
            "Choose another one from the schedule.",
        ),
        (
            SessionStatus.ENDED,
            None,
            ENDS + SECOND,
            RegistrationClosed,
            410,
            "This session is over and has no recording to watch. "
            "Choose another one from the schedule.",
        ),
        (
            SessionStatus.ENDED,
            CLOSES,
            CLOSES,
            RegistrationClosed,
            410,
            "This session is over and its recording is closed. "
            "Choose another one from the schedule.",
        ),
    ],
)
def test_a_refusal_says_why_nobody_can_register(status, closes, now, refusal, code, sentence):
    with pytest.raises(refusal) as refused:
        ensure_may_register(status, ENDS, recording_closes_at=closes, now=now)

    assert str(refused.value) == sentence
    assert refused.value.status == code
