import pytest
from hypothesis import given
from hypothesis import strategies as st

from webinar.domain.captions import (
    BadCaptions,
    Change,
    Cue,
    CuesChanged,
    as_webvtt,
    changed,
    ensure_language,
    in_order,
    read_webvtt,
    shown_cues,
    tidy_text,
)
from webinar.domain.edit import Kept
from webinar.domain.span import Span

KEPT = Kept((Span(0, 4_000), Span(8_000, 16_000)))
EVENING, NODE = Cue(1_000, 3_000, "Good evening"), Cue(9_000, 11_000, "The node")


@st.composite
def any_cue(draw: st.DrawFn) -> Cue:
    start = draw(st.integers(0, 9_000_000))
    text = tidy_text(draw(st.text(min_size=1, max_size=20))) or "x"
    return Cue(start, start + draw(st.integers(1, 9_000)), text)


@given(st.lists(any_cue(), min_size=1, max_size=3))
def test_our_own_captions_come_back_as_they_were_written(cues: list[Cue]):
    assert read_webvtt(as_webvtt(cues)) == tuple(cues)


def test_a_cue_is_nothing_but_words():
    text = as_webvtt([Cue(0, 1_000, "<b>a</b> & b")])

    assert text == "WEBVTT\n\n00:00:00.000 --> 00:00:01.000\n&lt;b&gt;a&lt;/b&gt; &amp; b\n"


def test_what_is_cut_out_falls_out_and_the_rest_moves_up():
    gone = Cue(5_000, 7_000, "A name")

    assert shown_cues((EVENING, gone, NODE), KEPT) == (EVENING, Cue(5_000, 7_000, "The node"))


def test_a_cue_that_lies_over_a_cut_closes_up():
    assert shown_cues((Cue(3_000, 9_000, "So"),), KEPT) == (Cue(3_000, 5_000, "So"),)


def test_without_cuts_cues_stay_where_they_are():
    assert shown_cues((EVENING, NODE), None) == (EVENING, NODE)


def test_changes_of_two_people_to_different_cues_are_both_kept():
    mine, yours = Cue(1_000, 3_000, "Hello"), Cue(9_000, 11_000, "A node")

    once = changed((EVENING, NODE), [Change(EVENING, mine)])

    assert changed(once, [Change(NODE, yours)]) == (mine, yours)


def test_the_same_cue_changed_twice_is_refused():
    once = changed((EVENING, NODE), [Change(EVENING, None)])

    with pytest.raises(CuesChanged):
        changed(once, [Change(EVENING, NODE)])


def test_new_cues_stand_where_they_begin():
    new = Cue(5_000, 6_000, "Between")

    assert changed((EVENING, NODE), [Change(None, new)]) == (EVENING, new, NODE)
    assert in_order((NODE, EVENING)) == (EVENING, NODE)


@pytest.mark.parametrize(("start", "end"), [(5, 5), (6, 5), (-1, 5), (0, 90_000_000)])
def test_a_cue_ends_after_it_begins_within_a_day(start: int, end: int):
    with pytest.raises(BadCaptions):
        Cue(start, end, "x")


def test_hours_may_be_left_out():
    text = "WEBVTT\n\n00:01.000 --> 59:59.999\nGood evening\n\n59:00.000 --> 01:00:00.000\nx\n"

    cues = read_webvtt(text)

    assert cues == (Cue(1_000, 3_599_999, "Good evening"), Cue(3_540_000, 3_600_000, "x"))


@pytest.mark.parametrize("text", ["nothing", "WEBVTT\n\n1:00 --> 2:00\nx"])
def test_captions_of_others_are_not_taken_for_ours(text: str):
    with pytest.raises(ValueError, match="not"):
        read_webvtt(text)


@pytest.mark.parametrize("language", ["en", "de", "pt-BR", "zh-Hans", "gsw", "es-419"])
def test_languages_are_short_codes(language: str):
    ensure_language(language, "Language")


@pytest.mark.parametrize(
    ("language", "label"), [("EN", "x"), ("", "x"), ("../a", "x"), ("en", " "), ("en", "x" * 61)]
)
def test_what_is_no_language_or_has_no_name_is_refused(language: str, label: str):
    with pytest.raises(BadCaptions):
        ensure_language(language, label)
