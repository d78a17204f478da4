"""What counted, in stretches people can read, and back from where it was kept."""

import json
from dataclasses import replace

import pytest

from webinar.domain.attendance import ViewingMode
from webinar.domain.evidence_picture import (
    MOST_STRETCHES,
    EvidencePicture,
    Line,
    Source,
    Stretch,
    lines_of,
    picture_of,
    record_of_picture,
)
from webinar.domain.span import Span

STARTS = 1795713300  # 26 November 2026, 17:15 UTC: 18:15 in Zurich


def drawn(*parts: Span[int], mode: ViewingMode = ViewingMode.LIVE) -> EvidencePicture:
    return EvidencePicture(
        mode=mode,
        starts=STARTS if mode is ViewingMode.LIVE else 0,
        total_seconds=2700,
        parts=parts,
        counted_seconds=sum(part.end - part.start for part in parts),
        threshold_seconds=2160,
        sources=(Source("Page opened Thu 26 Nov 2026, 18:14 CET", 1200),),
    )


def test_what_is_missing_stands_between_what_counted() -> None:
    picture = drawn(Span(60, 600), Span(900, 2700))

    assert picture.stretches == (
        Stretch(0, 60, counted=False),
        Stretch(60, 600, counted=True),
        Stretch(600, 900, counted=False),
        Stretch(900, 2700, counted=True),
    )


def test_nothing_seen_is_one_long_gap() -> None:
    assert drawn().stretches == (Stretch(0, 2700, counted=False),)


def test_parts_outside_the_window_draw_nothing() -> None:
    assert drawn(Span(2600, 9000)).stretches[-1] == Stretch(2600, 2700, counted=True)


def test_a_live_session_is_read_by_its_clock() -> None:
    assert lines_of(drawn(Span(0, 1710)), "Europe/Zurich") == (
        Line("18:15:00 to 18:43:30", "28:30", counted=True),
        Line("18:43:30 to 19:00:00", "16:30", counted=False),
    )


def test_a_recording_is_read_by_the_clock_of_its_player() -> None:
    lines = lines_of(drawn(Span(60, 2700), mode=ViewingMode.RECORDED), "Europe/Zurich")

    assert [line.words for line in lines] == ["0:00 to 1:00", "1:00 to 45:00"]


def test_an_outage_taken_out_is_named_and_closed_up_in_the_bar() -> None:
    picture = replace(
        drawn(Span(0, 600), Span(900, 2700)), total_seconds=2400, taken_out=(Span(600, 900),)
    )

    assert picture.bar == (Span(0, 2400),)
    assert lines_of(picture, "Europe/Zurich") == (
        Line("18:15:00 to 18:25:00", "10:00", counted=True),
        Line("18:25:00 to 18:30:00", "5:00", counted=False, because="outage, taken out"),
        Line("18:30:00 to 19:00:00", "30:00", counted=True),
    )


def test_an_outage_that_counts_is_drawn_and_named() -> None:
    picture = replace(drawn(Span(0, 2000)), forgiven=(Span(600, 900),))

    assert picture.bar == (Span(0, 2000),)
    assert [(line.standing, line.length) for line in lines_of(picture, "UTC")] == [
        ("counted", "10:00"),
        ("outage, counted", "5:00"),
        ("counted", "18:20"),
        ("not seen", "11:40"),
    ]


def test_a_picture_of_before_outages_were_kept_can_be_read() -> None:
    record = record_of_picture(drawn(Span(0, 9)))
    del record["taken_out"], record["forgiven"]

    assert picture_of(json.loads(json.dumps(record))) == drawn(Span(0, 9))


def test_very_many_stretches_are_cut_off() -> None:
    picture = drawn(*[Span(at, at + 5) for at in range(0, 2700, 10)])

    assert len(lines_of(picture, "UTC")) == MOST_STRETCHES


def test_a_picture_comes_back_from_json_as_it_was() -> None:
    picture = replace(
        drawn(Span(60, 600), Span(900, 2700)),
        taken_out=(Span(600, 700),),
        forgiven=(Span(900, 950),),
    )

    assert picture_of(json.loads(json.dumps(record_of_picture(picture)))) == picture


@pytest.mark.parametrize(
    "changed",
    [
        {"mode": "telepathy"},
        {"starts": "now"},
        {"total_seconds": True},
        {"parts": "many"},
        {"parts": [[1]]},
        {"parts": [[2, 1]]},
        {"sources": None},
    ],
)
def test_a_record_of_something_else_is_refused(changed: dict[str, object]) -> None:
    record = record_of_picture(drawn(Span(0, 9)))

    with pytest.raises(ValueError, match=r"is no|cannot end"):
        picture_of(record | changed)
