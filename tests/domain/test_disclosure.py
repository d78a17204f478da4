"""Disclosures: what may be signed, what is refused, what the audience is told."""

from datetime import date

import pytest

from webinar.domain.disclosure import (
    Disclosure,
    Relation,
    Typed,
    day_in_words,
    from_data,
    signed,
    since,
    to_data,
    words_for_audience,
)
from webinar.domain.person import FormRefused

TODAY = date(2026, 11, 22)
ADVISES = Relation("Roche", "advisory")
NOTHING = Typed(has_nothing=True, signed_by="Elena Marchetti", is_complete=True)


def test_nothing_to_disclose_is_an_answer() -> None:
    disclosure = signed(NOTHING, on=TODAY)

    assert disclosure == Disclosure((), "Elena Marchetti", TODAY)
    assert words_for_audience(disclosure) == "Nothing to disclose."


def test_empty_rows_are_left_out_and_blanks_trimmed() -> None:
    typed = Typed(
        relations=(Relation("", ""), Relation("  Novo   Nordisk ", "research", True)),
        signed_by=" Elena  Marchetti ",
        is_complete=True,
    )

    assert signed(typed, on=TODAY) == Disclosure(
        (Relation("Novo Nordisk", "research", True),), "Elena Marchetti", TODAY
    )


@pytest.mark.parametrize(
    ("typed", "fields"),
    [
        (Typed(), {"answer", "signed_by", "is_complete"}),
        (Typed(has_nothing=True, signed_by="E M"), {"is_complete"}),
        (Typed(has_nothing=True, is_complete=True), {"signed_by"}),
        (Typed((ADVISES,), True, "E M", True), {"answer"}),
        (Typed((Relation("Roche", ""),), False, "E M", True), {"nature-0"}),
        (Typed((Relation("Roche", "friendship"),), False, "E M", True), {"nature-0"}),
        (Typed((ADVISES, Relation(" ", "shares")), False, "E M", True), {"company-1"}),
        (Typed((Relation("x" * 201, "shares"),), False, "E M", True), {"company-0"}),
        (Typed((ADVISES,) * 21, False, "E M", True), {"relations"}),
        (Typed((ADVISES,), False, "x" * 201, True), {"signed_by"}),
    ],
)
def test_what_is_wrong_is_named_by_its_field(typed: Typed, fields: set[str]) -> None:
    with pytest.raises(FormRefused) as refusal:
        signed(typed, on=TODAY)

    assert set(refusal.value.problems) == fields


def test_the_audience_is_told_company_nature_and_what_was_done() -> None:
    disclosure = Disclosure(
        (
            ADVISES,
            Relation("Novartis", "research", True),
            Relation("Pfizer", "advisory", True),
        ),
        "Elena Marchetti",
        TODAY,
    )

    assert words_for_audience(disclosure) == (
        "Advisory board: Roche, Pfizer (ended); Research funding: Novartis (ended)."
    )
    assert words_for_audience(disclosure, "The slides were reviewed by the committee.") == (
        "Advisory board: Roche, Pfizer (ended); Research funding: Novartis (ended). "
        "Mitigated: The slides were reviewed by the committee."
    )


def test_a_stored_statement_is_the_one_that_was_signed() -> None:
    disclosure = Disclosure((ADVISES,), "Elena Marchetti", TODAY)

    data = to_data(disclosure)

    assert data == {
        "relations": [{"company": "Roche", "nature": "advisory", "ended": False}],
        "signed_by": "Elena Marchetti",
        "signed_on": "2026-11-22",
        "since": "2024-11-22",
    }
    assert from_data(data) == disclosure


def test_what_is_no_statement_is_a_bug() -> None:
    with pytest.raises(ValueError, match="not a disclosure"):
        from_data({"relations": "none", "signed_by": "", "signed_on": "2026-11-22"})


@pytest.mark.parametrize(
    ("day", "first"),
    [
        (TODAY, date(2024, 11, 22)),
        (date(2028, 2, 29), date(2026, 2, 28)),
        (date(2026, 1, 31), date(2024, 1, 31)),
    ],
)
def test_a_statement_looks_back_24_months(day: date, first: date) -> None:
    assert since(day) == first


def test_a_day_is_read_aloud() -> None:
    assert day_in_words(TODAY) == "22 November 2026"
