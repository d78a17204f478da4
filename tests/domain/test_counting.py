import pytest

from webinar.domain.counting import Counted, count, notes, without
from webinar.domain.policy import OutageRule
from webinar.domain.span import Span

HOUR = Span(0, 3600)
OUTAGE = Span(1800, 2100)


def test_two_devices_count_once_and_nothing_outside_the_window_counts():
    counted = count(HOUR, [Span(-600, 1800), Span(1500, 3000)])

    assert counted == Counted(seconds=3000, window_seconds=3600)


def test_an_outage_is_taken_out_of_the_session_and_of_what_was_seen():
    counted = count(HOUR, [Span(0, 1850), Span(2100, 3600)], outages=[OUTAGE])

    assert counted == Counted(seconds=3300, window_seconds=3300, outage_seconds=300)


def test_an_outage_is_credited_to_who_was_there_before_and_after_it():
    seen = [Span(0, 1700), Span(2200, 3600)]

    counted = count(HOUR, seen, outages=[OUTAGE], rule=OutageRule.CREDITED)

    assert counted == Counted(
        seconds=3400, window_seconds=3600, outage_seconds=300, forgiven_seconds=300
    )


@pytest.mark.parametrize(
    "seen",
    [[Span(0, 1680)], [Span(0, 1800)], [Span(2100, 3600)], [Span(0, 1680), Span(2100, 3600)], []],
)
def test_an_outage_is_not_credited_to_who_was_missing_before_or_after_it(seen):
    counted = count(HOUR, seen, outages=[OUTAGE], rule=OutageRule.CREDITED)

    assert counted.forgiven_seconds == 0
    assert counted.window_seconds == 3600


def test_an_outage_at_the_beginning_is_credited_to_who_was_there_after_it():
    counted = count(HOUR, [Span(650, 3600)], outages=[Span(0, 600)], rule=OutageRule.CREDITED)

    assert (counted.seconds, counted.forgiven_seconds) == (3550, 600)


def test_an_outage_to_the_end_is_credited_to_who_was_there_before_it():
    counted = count(HOUR, [Span(0, 3000)], outages=[Span(3000, 3700)], rule=OutageRule.CREDITED)

    assert (counted.seconds, counted.forgiven_seconds) == (3600, 600)


def test_of_an_outage_of_the_whole_session_nobody_can_say_who_was_there():
    counted = count(HOUR, [Span(0, 60)], outages=[HOUR], rule=OutageRule.CREDITED)

    assert counted.seconds == 60


def test_a_body_may_forgive_nothing():
    counted = count(HOUR, [Span(0, 1800)], outages=[OUTAGE], rule=OutageRule.NOTHING)

    assert counted == Counted(seconds=1800, window_seconds=3600, outage_seconds=300)


def test_corrections_add_and_take_away_and_where_both_speak_it_is_taken_away():
    counted = count(
        HOUR, [Span(0, 600)], added=[Span(500, 900)], removed=[Span(0, 100), Span(800, 1000)]
    )

    assert counted == Counted(
        seconds=700, window_seconds=3600, added_seconds=200, removed_seconds=100
    )


def test_presence_added_before_an_outage_makes_one_there():
    counted = count(
        HOUR,
        [Span(2100, 3600)],
        added=[Span(0, 1800)],
        outages=[OUTAGE],
        rule=OutageRule.CREDITED,
    )

    assert (counted.seconds, counted.added_seconds, counted.forgiven_seconds) == (3600, 1800, 300)


def test_holes_are_cut_out_of_the_ground():
    ground = [Span(0, 10), Span(5, 20), Span(30, 40)]

    assert without(ground, [Span(-5, 2), Span(8, 12), Span(15, 35), Span(50, 60)]) == [
        Span(2, 8),
        Span(12, 15),
        Span(35, 40),
    ]


@pytest.mark.parametrize(
    ("rule", "sentence"),
    [
        (OutageRule.EXCLUDED, "An outage of 5:00 was taken out of the session."),
        (OutageRule.NOTHING, "EBAC does not forgive the outage of 5:00."),
        (
            OutageRule.CREDITED,
            "5:00 of an outage count, as you were there before and after it.",
        ),
    ],
)
def test_what_became_of_an_outage_is_said_in_a_sentence(rule, sentence):
    seen = [Span(0, 1800), Span(2100, 3600)]

    assert notes(count(HOUR, seen, outages=[OUTAGE], rule=rule), rule, "EBAC") == [sentence]


def test_who_was_not_there_around_an_outage_reads_why_nothing_was_added():
    counted = count(HOUR, [Span(0, 60)], outages=[OUTAGE], rule=OutageRule.CREDITED)

    assert notes(counted, OutageRule.CREDITED, "EBAC") == [
        "The outage of 5:00 counts for who was there before and after it; nothing was added for "
        "you."
    ]


def test_corrections_are_said_with_their_minutes():
    counted = count(HOUR, [Span(0, 600)], added=[Span(600, 900)], removed=[Span(0, 60)])

    assert notes(counted, OutageRule.EXCLUDED, "EBAC") == [
        "5:00 added by a correction.",
        "1:00 taken away by a correction.",
    ]
