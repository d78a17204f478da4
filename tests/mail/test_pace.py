from datetime import timedelta

from webinar.mail.pace import FIRST_PAUSE, LONGEST_PAUSE, Breaker, Pace

SECOND = timedelta(seconds=1)
LONG = timedelta(hours=1)


class Clock:
    """Seconds that pass when a test says so."""

    def __init__(self) -> None:
        self.seconds = 1000.0

    def __call__(self) -> float:
        return self.seconds

    def wait(self, time: timedelta) -> None:
        """So much later."""
        self.seconds += time.total_seconds()


def test_a_server_that_is_away_is_left_alone_longer_each_time() -> None:
    clock = Clock()
    breaker = Breaker(clock)
    pauses = []

    for _ in range(10):
        pauses.append(breaker.trip("421 later"))
        clock.wait(pauses[-1])

    assert pauses[:3] == [FIRST_PAUSE, 2 * FIRST_PAUSE, 4 * FIRST_PAUSE]
    assert pauses[-1] == LONGEST_PAUSE


def test_who_meets_the_same_at_once_does_not_make_it_longer() -> None:
    clock = Clock()
    breaker = Breaker(clock)

    breaker.trip("away")
    clock.wait(SECOND)
    second = breaker.trip("away")

    assert second == FIRST_PAUSE - SECOND


def test_a_pause_ends_by_itself_and_by_a_mail_that_is_taken() -> None:
    clock = Clock()
    breaker = Breaker(clock)
    breaker.trip("away")

    clock.wait(FIRST_PAUSE - SECOND)
    during, left = breaker.is_open(), breaker.left()
    clock.wait(SECOND)
    after = breaker.is_open()
    breaker.trip("away")
    breaker.mend()

    assert (during, left, after) == (True, SECOND, False)
    assert not breaker.is_open()
    assert breaker.trip("away") == FIRST_PAUSE


def test_mails_leave_evenly() -> None:
    clock = Clock()
    pace = Pace(30, clock)

    waits = [pace.take(within=LONG) for _ in range(3)]
    clock.wait(timedelta(minutes=5))
    later = pace.take(within=LONG)

    assert waits == [timedelta(0), 2 * SECOND, 4 * SECOND]
    assert later == timedelta(0)


def test_who_cannot_wait_so_long_takes_no_place_in_the_row() -> None:
    pace = Pace(30, Clock())
    pace.take(within=LONG)
    pace.take(within=LONG)

    too_long = pace.take(within=3 * SECOND)
    in_time = pace.take(within=4 * SECOND)

    assert (too_long, in_time) == (None, 4 * SECOND)


def test_without_a_pace_nobody_waits() -> None:
    pace = Pace(0)

    assert not pace.is_bounded
    assert {pace.take(within=LONG) for _ in range(5)} == {timedelta(0)}
