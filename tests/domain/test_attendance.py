from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from webinar.domain.attendance import (
    BeatRefused,
    ExpiredPass,
    FasterThanTime,
    ForgedPass,
    MalformedBeat,
    NotYetHappened,
    OutsideWindow,
    PassFacts,
    PlaySegment,
    SegmentRow,
    TooManySegments,
    ViewingMode,
    accepted_segments,
    check_beat,
    coverage,
    evidence_in,
    pass_id_from,
    read_pass,
    sign_pass,
)
from webinar.domain.span import Span, covered_seconds

ISSUED = datetime(2026, 11, 26, 17, 10, tzinfo=UTC)
START = int(datetime(2026, 11, 26, 17, 15, tzinfo=UTC).timestamp())
SECRET = b"a secret of the tests"
RECORDING = PassFacts(
    pass_id=pass_id_from(bytes(range(16))),
    user_id=7,
    session_id=12,
    mode=ViewingMode.RECORDED,
    issued_at=ISSUED,
    expires_at=ISSUED + timedelta(hours=6),
    window=Span(0, 2700),
)
LIVE = replace(RECORDING, mode=ViewingMode.LIVE, window=Span(START, START + 2700))


def after(seconds: float) -> datetime:
    return ISSUED + timedelta(seconds=seconds)


def row(number: int, start: float, end: float, *, seen: float, first: float = 0) -> SegmentRow:
    return SegmentRow(PlaySegment(number, start, end), after(first or seen), after(seen))


def test_a_beat_that_can_be_true_is_taken_as_it_is():
    segments = check_beat(RECORDING, [[0, 0, 12.5], [1, 60, 70]], now=after(30))

    assert segments == [PlaySegment(0, 0.0, 12.5), PlaySegment(1, 60.0, 70.0)]


def test_a_beat_without_segments_is_fine():
    assert check_beat(RECORDING, [], now=after(0)) == []


@pytest.mark.parametrize(
    "segments",
    [
        None,
        {},
        "0,0,1",
        [1],
        [[]],
        [[0, 1]],
        [[0, 1, 2, 3]],
        [["0", 1, 2]],
        [[True, 1, 2]],
        [[1.0, 1, 2]],
        [[-1, 1, 2]],
        [[100_001, 1, 2]],
        [[0, -1, 2]],
        [[0, 2, 1]],
        [[0, None, 1]],
        [[0, False, 1]],
        [[0, "0", 1]],
        [[0, 0, float("nan")]],
        [[0, float("nan"), 1]],
        [[0, 0, float("inf")]],
        [[0, float("-inf"), 1]],
        [[0, 0, 1e300]],
        [[0, 0, 10**400]],
    ],
)
def test_a_beat_that_is_no_list_of_stretches_is_malformed(segments):
    with pytest.raises(MalformedBeat) as refused:
        check_beat(RECORDING, segments, now=after(3600))

    assert refused.value.code == "malformed"
    assert refused.value.status == 422


def test_a_beat_carries_64_segments_and_no_more():
    many = [[number, number, number] for number in range(64)]

    assert len(check_beat(RECORDING, many, now=after(60))) == 64
    with pytest.raises(TooManySegments):
        check_beat(RECORDING, [*many, [64, 64, 64]], now=after(60))


def test_a_claim_is_held_against_the_servers_own_time_at_the_allowed_rate():
    # 30 s of the clock at twice the speed and 10 s of slack: 70 s.
    assert check_beat(RECORDING, [[0, 0, 70]], now=after(30)) == [PlaySegment(0, 0.0, 70.0)]
    with pytest.raises(FasterThanTime) as refused:
        check_beat(RECORDING, [[0, 0, 70.1]], now=after(30))
    assert str(refused.value) == "70 seconds were claimed, 70 can have been played."
    with pytest.raises(FasterThanTime):
        check_beat(RECORDING, [[0, 0, 41]], now=after(30), allowed_rate=1)


def test_the_segments_of_a_beat_are_held_against_time_together():
    with pytest.raises(FasterThanTime):
        check_beat(RECORDING, [[0, 0, 40], [1, 100, 140]], now=after(30))


def test_a_beat_before_its_own_pass_has_only_the_slack():
    assert len(check_beat(RECORDING, [[0, 0, 10]], now=after(-60))) == 1
    with pytest.raises(FasterThanTime):
        check_beat(RECORDING, [[0, 0, 11]], now=after(-60))


def test_a_little_over_the_media_is_cut_and_more_is_refused():
    over_the_end = check_beat(RECORDING, [[0, 2650, 2701.5]], now=after(60))

    assert over_the_end == [PlaySegment(0, 2650.0, 2700.0)]
    with pytest.raises(OutsideWindow):
        check_beat(RECORDING, [[0, 2650, 2702.5]], now=after(60))


def test_a_live_segment_lies_within_the_live_window():
    now = datetime(2026, 11, 26, 17, 20, tzinfo=UTC)

    assert check_beat(LIVE, [[0, START - 1, START + 60]], now=now) == [
        PlaySegment(0, float(START), START + 60.0)
    ]
    with pytest.raises(OutsideWindow):
        check_beat(LIVE, [[0, START - 3, START + 60]], now=now)


def test_a_live_segment_never_reaches_into_the_future():
    now = datetime(2026, 11, 26, 17, 16, tzinfo=UTC)

    ahead = check_beat(LIVE, [[0, START, START + 71]], now=now)

    assert ahead == [PlaySegment(0, float(START), START + 70.0)]
    with pytest.raises(NotYetHappened) as refused:
        check_beat(LIVE, [[0, START, START + 73]], now=now)
    assert refused.value.code == "future"


def test_who_comes_late_has_not_seen_what_was_before():
    late = replace(LIVE, issued_at=datetime(2026, 11, 26, 17, 45, tzinfo=UTC))

    segments = check_beat(
        late, [[0, START, START + 2400]], now=datetime(2026, 11, 26, 18, 30, tzinfo=UTC)
    )

    # The page came half an hour after the start; its picture was two minutes old at most.
    assert segments == [PlaySegment(0, START + 1680.0, START + 2400.0)]


def test_every_refusal_of_a_beat_has_a_code_of_its_own():
    codes = {kind.code for kind in BeatRefused.__subclasses__()}

    assert codes == {"malformed", "too_many_segments", "outside", "future", "too_fast"}


def test_two_devices_and_a_replay_count_once():
    window = Span(0, 2700)
    phone, laptop = Span(0.0, 1800.0), Span(1500.0, 2700.0)

    assert coverage(window, [phone, laptop, phone]) == 2700


def test_the_published_example_of_played_segments_covers_28_seconds():
    played = [Span(0.0, 12.0), Span(14.0, 21.0), Span(18.0, 30.0)]

    assert coverage(Span(0, 60), played) == 28


def test_coverage_outside_the_window_does_not_count():
    assert coverage(Span(0, 2700), [Span(-1200.0, 2100.0), Span(2690.0, 3420.0)]) == 2110


def test_parts_of_seconds_are_added_before_they_are_cut():
    stretches = [Span(float(start), start + 1.5) for start in range(0, 100, 10)]

    assert coverage(Span(0, 2700), stretches) == 15
    assert covered_seconds(evidence_in(Span(0, 2700), stretches)) == 15


def test_a_full_window_is_full_in_whole_seconds():
    evidence = evidence_in(Span(START, START + 2700), [Span(START - 0.5, START + 2700.5)])

    assert evidence == (Span(START, START + 2700),)


def test_less_than_a_second_in_all_is_no_evidence():
    assert evidence_in(Span(0, 2700), [Span(3.2, 4.1)]) == ()


@given(
    st.lists(
        st.tuples(st.integers(0, 3000 * 8), st.integers(0, 900 * 8)).map(
            lambda pair: Span(pair[0] / 8, sum(pair) / 8)
        ),
        max_size=12,
    )
)
def test_evidence_in_whole_seconds_never_says_more_than_was_covered(spans):
    window = Span(0, 2700)

    evidence = evidence_in(window, spans)

    total = coverage(window, spans)
    assert covered_seconds(evidence) <= total
    assert covered_seconds(evidence) >= total - len(spans)
    assert coverage(window, spans + spans) == total


def test_a_gap_under_a_second_between_consecutive_segments_is_no_gap():
    rows = [row(0, 0, 2.0, seen=2), row(1, 2.4, 4.0, seen=5), row(2, 5.0, 6.0, seen=7)]

    assert accepted_segments(RECORDING, rows) == [
        Span(0, 2.0),
        Span(2.0, 4.0),
        Span(5.0, 6.0),
    ]


def test_a_gap_between_segments_that_do_not_follow_each_other_stays():
    rows = [row(0, 0, 2.0, seen=2), row(2, 2.4, 4.0, seen=5)]

    assert accepted_segments(RECORDING, rows) == [Span(0, 2.0), Span(2.4, 4.0)]


def test_a_pass_never_counts_more_than_its_own_time_allows():
    # Four claims of 30 s, each small enough alone, within 10 s: 30 s can have been played.
    rows = [row(number, number * 100, number * 100 + 30, seen=10) for number in range(4)]

    assert accepted_segments(RECORDING, rows) == [Span(0, 30)]


def test_an_early_claim_is_not_made_good_by_waiting():
    rows = [row(0, 0, 500, seen=45), row(1, 600, 700, seen=1000)]

    assert accepted_segments(RECORDING, rows) == [Span(0, 100.0), Span(600, 700)]


def test_the_order_in_which_rows_are_fetched_does_not_matter():
    rows = [row(0, 0, 20, seen=10), row(1, 100, 130, seen=20), row(2, 200, 500, seen=30)]

    accepted = accepted_segments(RECORDING, rows)

    assert accepted == accepted_segments(RECORDING, reversed(rows))
    assert accepted == [Span(0, 20), Span(100, 130), Span(200, 220.0)]


def test_a_row_may_go_on_growing_after_the_next_one_began():
    rows = [row(0, 0, 60, first=10, seen=60), row(1, 100, 160, first=70, seen=130)]

    assert accepted_segments(RECORDING, rows) == [Span(0, 60), Span(100, 160)]


@pytest.mark.parametrize("facts", [RECORDING, LIVE], ids=["recorded", "live"])
def test_a_pass_comes_back_as_it_was_signed(facts):
    token = sign_pass(SECRET, facts)

    assert read_pass(SECRET, token, now=after(0)) == facts
    assert len(token) == 112


def test_a_pass_of_another_secret_is_forged():
    token = sign_pass(b"another secret", RECORDING)

    with pytest.raises(ForgedPass) as refused:
        read_pass(SECRET, token, now=after(0))
    assert refused.value.status == 403
    assert refused.value.code == "pass_forged"


@pytest.mark.parametrize("place", range(112))
def test_a_pass_changed_in_any_character_is_forged(place):
    token = sign_pass(SECRET, RECORDING)
    other = "B" if token[place] == "A" else "A"

    with pytest.raises(ForgedPass):
        read_pass(SECRET, token[:place] + other + token[place + 1 :], now=after(0))


@pytest.mark.parametrize("token", ["", "x", "====", "é" * 112, "A" * 112, "A" * 4000, "a b"])
def test_what_is_no_pass_is_forged(token):
    with pytest.raises(ForgedPass):
        read_pass(SECRET, token, now=after(0))


def test_what_we_signed_for_another_layout_is_forged():
    cut = replace(RECORDING, window=Span(0, 1))
    token = sign_pass(SECRET, cut)

    with pytest.raises(ForgedPass):
        read_pass(SECRET, token[:-4], now=after(0))


def test_a_pass_ends_at_its_last_instant():
    token = sign_pass(SECRET, RECORDING)
    last = RECORDING.expires_at

    assert read_pass(SECRET, token, now=last - timedelta(microseconds=1)) == RECORDING
    with pytest.raises(ExpiredPass) as refused:
        read_pass(SECRET, token, now=last)
    assert refused.value.code == "pass_expired"


def test_a_pass_id_takes_16_random_bytes():
    assert pass_id_from(b"\xff" * 16) == "_____________________w"
    with pytest.raises(ValueError, match="16"):
        pass_id_from(b"short")
