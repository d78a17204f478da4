"""The picture beside a decision says what its sentence says."""

import pytest

from tests.evidence import make_attendee, make_ended_session, make_grant, watch
from tests.services.evidence.test_grounds import at, decide, declare, only
from webinar.db import DbSession
from webinar.domain.attendance import ViewingMode
from webinar.domain.span import Span, covered_seconds
from webinar.models import CreditDecision
from webinar.services.evidence import pictures


@pytest.fixture
def decided(db: DbSession, rule: str) -> CreditDecision:
    """Of a session of 45 minutes with an outage of 5, in which the person saw nothing."""
    session = make_ended_session(db)
    grant = make_grant(db, session, "esmo-mora-live", "1")
    grant.policy.data = grant.policy.data | {"outage": rule}
    user = make_attendee(db, session, start=0, end=600)
    watch(db, session, user, ViewingMode.LIVE, 900, 2400, at=at(900))
    declare(db, session, 600, 900)
    decide(db, session)
    return only(db, session, user)


@pytest.mark.parametrize("rule", ["excluded"])
def test_an_outage_taken_out_is_out_of_the_bar_too(decided: CreditDecision) -> None:
    picture = pictures.of_decision(decided)

    assert (picture.counted_seconds, picture.total_seconds) == (2100, 2400)
    assert picture.bar == (Span(0, 2100),)
    assert picture.taken_out == (Span(600, 900),)


@pytest.mark.parametrize("rule", ["credited"])
def test_an_outage_that_is_credited_is_in_the_bar(decided: CreditDecision) -> None:
    picture = pictures.of_decision(decided)

    assert (picture.counted_seconds, picture.total_seconds) == (2400, 2700)
    assert picture.bar == (Span(0, 2400),)
    assert picture.forgiven == (Span(600, 900),)


@pytest.mark.parametrize("rule", ["excluded", "credited", "nothing"])
def test_bar_and_sentence_come_to_the_same(decided: CreditDecision) -> None:
    picture = pictures.of_decision(decided)

    assert covered_seconds(picture.bar) == decided.seconds_counted
    assert picture.total_seconds == decided.window_seconds
