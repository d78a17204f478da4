from datetime import UTC, datetime, timedelta

from webinar.mail.pace import FIRST_PAUSE, LONGEST_PAUSE, Breaker, Pace

NOW = datetime(2026, 11, 26, 16, 15, tzinfo=UTC)
SECOND = timedelta(seconds=1)


def test_a_server_that_is_away_is_left_alone_longer_each_time() -> None:
    breaker = Breaker()
    now, pauses = NOW, []

    for _ in range(10):
        until = breaker.trip("421 later", now=now)
        pauses.append(until - now)
        now = until

    assert pauses[:3] == [FIRST_PAUSE, 2 * FIRST_PAUSE, 4 * FIRST_PAUSE]
    assert pauses[-1] == LONGEST_PAUSE


def test_who_meets_the_same_at_once_does_not_make_it_longer() -> None:
    breaker = Breaker()

    first = breaker.trip("away", now=NOW)
    second = breaker.trip("away", now=NOW + SECOND)

    assert first == second


def test_a_pause_ends_by_itself_and_by_a_mail_that_is_taken() -> None:
    breaker = Breaker()
    breaker.trip("away", now=NOW)

    during = breaker.is_open(now=NOW + FIRST_PAUSE - SECOND)
    after = breaker.is_open(now=NOW + FIRST_PAUSE)
    breaker.trip("away", now=NOW + FIRST_PAUSE)
    breaker.mend()

    assert (during, after) == (True, False)
    assert not breaker.is_open(now=NOW + FIRST_PAUSE)
    assert breaker.trip("away", now=NOW) == NOW + FIRST_PAUSE


def test_mails_leave_evenly() -> None:
    pace = Pace(30)

    waits = [pace.take(now=NOW) for _ in range(3)]
    later = pace.take(now=NOW + timedelta(minutes=5))

    assert waits == [timedelta(0), 2 * SECOND, 4 * SECOND]
    assert later == timedelta(0)


def test_without_a_pace_nobody_waits() -> None:
    pace = Pace(0)

    assert not pace.is_bounded
    assert {pace.take(now=NOW) for _ in range(5)} == {timedelta(0)}
