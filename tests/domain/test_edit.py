from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from webinar.domain.edit import (
    CannotCut,
    Kept,
    borders_of,
    clock,
    everything,
    kept_of,
    read_clock,
    restored,
    shown_segments,
    trimmed,
    without,
)
from webinar.domain.span import Span

BORDERS = borders_of([4.0] * 15)  # one minute
MINUTE = BORDERS[-1]
WHOLE = everything(MINUTE)


@dataclass(frozen=True)
class Piece:
    duration_seconds: float


def kept(*spans: tuple[int, int]) -> Kept:
    return Kept(tuple(Span(start, end) for start, end in spans))


@st.composite
def any_kept(draw: st.DrawFn) -> Kept:
    borders = sorted(draw(st.sets(st.integers(0, 10_000_000), min_size=2, max_size=12)))
    return kept(*zip(borders[: len(borders) // 2 * 2 : 2], borders[1::2], strict=True))


@given(any_kept(), st.data())
def test_every_moment_that_is_shown_comes_back_to_itself(one: Kept, data: st.DataObject):
    shown_ms = data.draw(st.integers(0, one.total_ms - 1))

    assert one.shown_of(one.source_of(shown_ms)) == shown_ms


@given(any_kept(), st.integers(0, 11_000_000))
def test_a_moment_is_shown_if_it_lies_in_a_kept_span(one: Kept, source_ms: int):
    shown_ms = one.shown_of(source_ms)

    assert (shown_ms is not None) == any(source_ms in span for span in one.spans)
    assert shown_ms is None or one.source_of(shown_ms) == source_ms


@given(any_kept(), st.lists(st.integers(0, 11_000_000), max_size=20))
def test_shown_time_goes_on_with_source_time(one: Kept, moments: list[int]):
    shown = [ms for moment in sorted(moments) if (ms := one.next_shown(moment)) is not None]

    assert shown == sorted(shown)


@given(any_kept(), st.lists(st.tuples(st.integers(0, 11_000), st.integers(0, 500)), max_size=9))
def test_what_was_watched_of_the_kept_spans_keeps_its_length(
    one: Kept, watched: list[tuple[int, int]]
):
    spans = [Span(float(start), float(start + length)) for start, length in watched]

    shown = one.shown_spans(spans)

    covered = {second for start, length in watched for second in range(start, start + length)}
    expected = sum(
        max(0, min((second + 1) * 1000, span.end) - max(second * 1000, span.start))
        for second in covered
        for span in one.spans
    )
    assert sum(span.end - span.start for span in shown) * 1000 == pytest.approx(expected, abs=1)
    assert all(span.start >= 0 and span.end * 1000 <= one.total_ms + 1 for span in shown)


def test_kept_and_cut_make_up_the_whole():
    one = kept((0, 8_000), (20_000, 56_000))

    assert one.cuts(MINUTE) == [Span(8_000, 20_000), Span(56_000, MINUTE)]
    assert one.total_ms == 44_000
    assert WHOLE.cuts(MINUTE) == []


def test_what_is_stored_comes_back():
    one = kept((0, 8_000), (20_000, 56_000))

    assert kept_of(one.stored()) == one
    assert kept_of(None) is None


@pytest.mark.parametrize("spans", [[], [(5, 5)], [(0, 9), (9, 12)], [(9, 12), (0, 3)], [(-1, 3)]])
def test_kept_spans_that_are_none_are_refused(spans: list[tuple[int, int]]):
    with pytest.raises(ValueError, match="kept spans are in order"):
        kept(*spans)


def test_a_trim_never_takes_what_was_asked_for():
    assert trimmed(WHOLE, BORDERS, start_ms=9_000, end_ms=50_500) == kept((8_000, 52_000))


def test_a_trim_can_be_moved_outwards_again_and_leaves_cuts_alone():
    one = kept((8_000, 20_000), (28_000, 40_000))

    assert trimmed(one, BORDERS, start_ms=0, end_ms=MINUTE) == kept((0, 20_000), (28_000, MINUTE))
    assert trimmed(one, BORDERS, start_ms=24_000, end_ms=MINUTE) == kept((28_000, MINUTE))


def test_a_cut_takes_all_of_what_was_marked():
    assert without(WHOLE, BORDERS, Span(9_000, 10_500)) == kept((0, 8_000), (12_000, MINUTE))


def test_cuts_that_overlap_become_one():
    once = without(WHOLE, BORDERS, Span(8_000, 20_000))

    assert without(once, BORDERS, Span(16_000, 28_000)) == kept((0, 8_000), (28_000, MINUTE))


def test_a_border_written_with_tenths_means_the_border():
    borders = borders_of([4.021, 3.979, 4.044])

    assert trimmed(everything(12_044), borders, start_ms=4_000, end_ms=8_000) == kept(
        (4_021, 8_000)
    )


def test_a_cut_undone_is_as_if_it_never_was():
    one = without(without(WHOLE, BORDERS, Span(0, 8_000)), BORDERS, Span(20_000, 24_000))

    assert restored(one, Span(20_000, 24_000), MINUTE) == kept((8_000, MINUTE))
    with pytest.raises(CannotCut):
        restored(one, Span(20_000, 28_000), MINUTE)


@pytest.mark.parametrize(
    ("start_ms", "end_ms"), [(-1, 8_000), (0, MINUTE + 1), (8_000, 8_000), (9_000, 8_000)]
)
def test_trims_that_make_no_sense_are_refused(start_ms: int, end_ms: int):
    with pytest.raises(CannotCut):
        trimmed(WHOLE, BORDERS, start_ms=start_ms, end_ms=end_ms)


@pytest.mark.parametrize(
    ("start_ms", "end_ms"), [(0, MINUTE), (8_000, 8_000), (-4_000, 8_000), (0, MINUTE + 1_000)]
)
def test_cuts_that_make_no_sense_or_leave_nothing_are_refused(start_ms: int, end_ms: int):
    with pytest.raises(CannotCut):
        without(WHOLE, BORDERS, Span(start_ms, end_ms))


def test_the_same_cut_twice_is_refused():
    once = without(WHOLE, BORDERS, Span(8_000, 20_000))

    with pytest.raises(CannotCut):
        without(once, BORDERS, Span(12_000, 16_000))


def test_segments_are_shown_by_their_middle_and_say_where_a_cut_was():
    pieces = [Piece(4.0) for _ in range(5)]

    shown = shown_segments(pieces, kept((4_000, 8_000), (12_100, 20_000)))

    assert [
        (one.segment is pieces[n], one.after_cut) for one, n in zip(shown, (1, 3, 4), strict=True)
    ] == [
        (True, False),
        (True, True),
        (True, False),
    ]


def test_without_cuts_every_segment_is_shown():
    pieces = [Piece(4.0), Piece(3.5)]

    assert [one.segment for one in shown_segments(pieces, None)] == pieces


@pytest.mark.parametrize(
    ("typed", "milliseconds"),
    [("75", 75_000), ("1:15", 75_000), (" 1:02:05 ", 3_725_000), ("1:15.25", 75_250), ("0,5", 500)],
)
def test_times_are_read_as_people_write_them(typed: str, milliseconds: int):
    assert read_clock(typed) == milliseconds


@pytest.mark.parametrize(
    "typed", ["", "x", "1:75", "-3", "1:-3", "1:2:3:4", "nan", "inf", "1e9", "1:75:00", "9" * 40]
)
def test_what_is_no_time_is_refused(typed: str):
    with pytest.raises(CannotCut):
        read_clock(typed)


@pytest.mark.parametrize(
    ("milliseconds", "words"),
    [(0, "0:00"), (75_000, "1:15"), (75_250, "1:15.2"), (3_725_000, "1:02:05")],
)
def test_times_are_written_as_people_read_them(milliseconds: int, words: str):
    assert clock(milliseconds) == words
