from datetime import UTC, datetime
from decimal import Decimal

import pytest

from webinar.domain.statements import (
    Activity,
    StatementNotPermitted,
    applied_statement,
    ensure_permitted,
    for_another,
    granted_statement,
    in_step,
)

ROUND = Activity("Nodes", datetime(2026, 11, 26, 17, 15, tzinfo=UTC), "Europe/Zurich")
HALF, ONE = Decimal("0.50"), Decimal(1)


def test_before_the_decision_only_the_application_is_spoken_of() -> None:
    assert applied_statement("eaccme", ROUND) == (
        "An application has been made to the EACCME for CME accreditation of the webinar "
        "“Nodes”, online, 26 November 2026."
    )


def test_after_the_decision_the_statement_is_word_for_word_the_bodys() -> None:
    assert granted_statement("eaccme", ROUND, HALF) == (
        "The webinar “Nodes”, online, 26 November 2026 has been accredited by the European "
        "Accreditation Council for Continuing Medical Education (EACCME) with 0.5 European CME "
        "credits (ECMECs). Each medical specialist should claim only those hours of credit that "
        "he/she actually spent in the educational activity."
    )


def test_no_words_are_invented_for_other_bodies() -> None:
    assert applied_statement("acoe", ROUND) == ""
    assert granted_statement("acoe", ROUND, ONE) == ""


def test_the_permitted_words_follow_what_is_typed_and_words_of_ones_own_do_not() -> None:
    half, one = (granted_statement("eaccme", ROUND, credits) for credits in (HALF, ONE))

    assert in_step(half, was=half, now=one) == one
    assert in_step("My 0.5 words.", was=half, now=one) == "My 0.5 words."
    assert in_step("", was=half, now=one) == ""
    assert in_step("", was="", now=one) == one


def test_a_text_is_made_to_speak_of_another_session() -> None:
    later = Activity("Margins", datetime(2026, 12, 3, 23, 30, tzinfo=UTC), "Europe/Zurich")

    assert for_another("Nodes of 26 November 2026 was reviewed.", ROUND, later) == (
        "Margins of 4 December 2026 was reviewed."
    )


def test_another_beginning_is_refused_before_the_decision() -> None:
    ensure_permitted("eaccme", applied_statement("eaccme", ROUND))
    ensure_permitted("eaccme", "")
    ensure_permitted("acoe", "Whatever.")

    with pytest.raises(StatementNotPermitted, match="An application has been made to the EACCME"):
        ensure_permitted("eaccme", "EACCME accreditation is expected.")
