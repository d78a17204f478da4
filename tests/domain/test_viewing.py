from datetime import UTC, datetime, timedelta

from webinar.domain.attendance import PassFacts, PlaySegment, SegmentRow, ViewingMode
from webinar.domain.span import Span
from webinar.domain.viewing import PageLoad, Viewing

START = datetime(2026, 11, 26, 17, 15, tzinfo=UTC)


def after(seconds: float) -> datetime:
    return START + timedelta(seconds=seconds)


def load(
    *segments: tuple[float, float, float, float], page: str = "a", opened: float = 0
) -> PageLoad:
    """Segments as (from, to, first heard, last heard), in seconds after the start."""
    facts = PassFacts(
        pass_id=page,
        user_id=7,
        session_id=12,
        mode=ViewingMode.RECORDED,
        issued_at=after(opened),
        expires_at=after(90_000),
        window=Span(0, 2700),
    )
    rows = tuple(
        SegmentRow(PlaySegment(number, start, end), after(first), after(last))
        for number, (start, end, first, last) in enumerate(segments)
    )
    return PageLoad(facts, rows)


def test_two_devices_count_once():
    laptop = load((0, 600, 15, 600))
    phone = load((400, 900, 415, 900), page="b", opened=400)

    assert Viewing((laptop, phone)).spans() == [Span(0.0, 900.0)]


def test_watching_in_pieces_over_days_adds_up():
    monday = load((0, 1000, 15, 1000))
    friday = load((1000, 2700, 400_015, 401_700), page="b", opened=400_000)

    assert Viewing((friday, monday)).spans() == [Span(0.0, 2700.0)]


def test_many_pages_opened_at_once_do_not_watch_faster_than_one_person_can():
    loads = [
        load((number * 10, number * 10 + 10, 1, 1), page=f"p{number:03}") for number in range(270)
    ]

    # One second of the clock at double speed, and the slack of one page.
    assert Viewing(tuple(loads)).spans() == [Span(0.0, 12.0)]


def test_what_is_cut_off_is_only_what_is_new():
    whole = load((0, 100, 15, 100))
    again = load((0, 150, 101, 101), page="b", opened=100)
    more = load((130, 400, 102, 102), page="c", opened=101)

    spans = Viewing((whole, again, more)).spans(allowed_rate=1.0)

    assert sum(span.end - span.start for span in spans) <= 102 + 10


def test_nothing_was_played_without_page_loads():
    assert Viewing().spans() == []
    assert Viewing().last_seen_at is None
    assert Viewing().wall_seconds == 0


def test_the_wall_clock_runs_while_any_page_is_open():
    assert Viewing((load((0, 60, 15, 60)), load((0, 60, 75, 90), opened=30))).wall_seconds == 90


def test_before_an_instant_only_what_was_heard_by_then_counts():
    early = load((0, 600, 15, 600))
    late = load((600, 2700, 5_015, 7_100), page="b", opened=5_000)

    assert Viewing((early, late)).before(after(1_000)).spans() == [Span(0.0, 600.0)]


def test_a_segment_that_went_on_counts_as_far_as_it_can_have_been_played_by_then():
    on_and_on = load((0, 2700, 15, 2700))

    spans = Viewing((on_and_on,)).before(after(915), allowed_rate=1.0).spans()

    assert spans == [Span(0.0, 910.0)]


def test_very_many_short_stretches_are_added_up_one_by_one():
    stretches = [(2 * number, 2 * number + 1, 9_000, 9_000) for number in range(40_000)]
    shuffled = stretches[1::2] + stretches[::2]

    spans = Viewing((load(*shuffled),)).spans()

    # The clock ran for 9,000 seconds: so much at double speed, and the slack.
    assert sum(span.end - span.start for span in spans) == 18_010
