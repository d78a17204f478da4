from datetime import UTC, datetime
from decimal import Decimal

import pytest

from webinar.domain.credit import GrantStatus
from webinar.domain.statements import (
    Activity,
    GrantedStatementNotPermitted,
    StatementNotPermitted,
    applied_statement,
    ensure_permitted,
    ensure_permitted_once_granted,
    for_another,
    granted_statement,
    in_step,
    names_activity,
    shown_statement,
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


@pytest.mark.parametrize(
    ("status", "shown"),
    [
        (GrantStatus.NONE, ""),
        (GrantStatus.APPLIED, "applied"),
        (GrantStatus.GRANTED, "granted"),
        (GrantStatus.REFUSED, ""),
        (GrantStatus.WITHDRAWN, ""),
    ],
)
def test_each_state_has_its_words_and_a_refusal_none(status: GrantStatus, shown: str) -> None:
    assert shown_statement(status, applied="applied", granted="granted") == shown


def test_after_the_decision_other_words_are_refused() -> None:
    permitted = granted_statement("eaccme", ROUND, HALF)
    ensure_permitted_once_granted("eaccme", permitted, HALF)
    ensure_permitted_once_granted("eaccme", f"{permitted} More on conversion.", HALF)
    ensure_permitted_once_granted("eaccme", "", HALF)
    ensure_permitted_once_granted("acoe", "Reviewed by ACOE.", HALF)

    for text in ("EACCME gives half a credit.", granted_statement("eaccme", ROUND, ONE)):
        with pytest.raises(GrantedStatementNotPermitted, match=r"with 0\.5 European"):
            ensure_permitted_once_granted("eaccme", text, HALF)


def test_words_of_ones_own_are_held_against_the_title_and_the_day() -> None:
    assert names_activity("“Nodes” of 26 November 2026 was reviewed.", ROUND)
    assert names_activity("“Nodes” was reviewed.", ROUND)
    assert not names_activity("“Nodes” of 19 November 2026 was reviewed.", ROUND)
    assert not names_activity("“Margins” of 26 November 2026 was reviewed.", ROUND)
