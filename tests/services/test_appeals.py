"""Appeals: who may raise, answer and withdraw one, and what it carries."""

import pytest
from sqlalchemy import select

from tests.builders import make_registration, make_user
from tests.evidence import AFTER, make_attendee, make_ended_session, make_grant
from webinar.db import DbSession
from webinar.domain.access import Role
from webinar.domain.credit import GrantStatus
from webinar.domain.errors import Conflict, NotAllowed, NotFound, NotYet
from webinar.domain.review import AppealState
from webinar.domain.session import SessionStatus
from webinar.domain.span import Span
from webinar.models import AccreditationGrant, AuditEvent, Delivery, User, WebinarSession
from webinar.services import appeals, credits
from webinar.services.appeals import AppealRefused

URL = "http://localhost"
WORDS = "I was there from the first minute, on my phone."


@pytest.fixture
def session(db: DbSession) -> WebinarSession:
    return make_ended_session(db)


@pytest.fixture
def grant(db: DbSession, session: WebinarSession) -> AccreditationGrant:
    return make_grant(db, session, "esmo-mora-live", "1")


@pytest.fixture
def person(db: DbSession, session: WebinarSession, grant: AccreditationGrant) -> User:
    """Came half an hour late: 15 of 45 minutes."""
    user = make_attendee(db, session, start=1800)
    credits.decide_session(db, session.id, public_url=URL, now=AFTER)
    return user


def test_an_appeal_carries_what_counted_and_what_was_decided(
    db: DbSession, session: WebinarSession, grant: AccreditationGrant, person: User
) -> None:
    appeal = appeals.raise_appeal(db, session, person.id, grant.id, words=f" {WORDS} ", now=AFTER)

    carried = appeals.carried_by(appeal)
    assert (appeal.words, appeal.state) == (WORDS, AppealState.OPEN)
    assert (carried.credit, carried.reason) == ("0", "below_presence")
    assert carried.explanation.startswith("15:00 of 45:00 counted")
    assert carried.picture is not None
    assert carried.picture.parts == (Span(1800, 2700),)
    assert [source.seconds for source in carried.picture.sources] == [900]


def test_a_second_appeal_waits_for_the_answer_to_the_first(
    db: DbSession, session: WebinarSession, grant: AccreditationGrant, person: User
) -> None:
    appeals.raise_appeal(db, session, person.id, grant.id, words=WORDS, now=AFTER)

    with pytest.raises(Conflict, match="with the accreditation officer"):
        appeals.raise_appeal(db, session, person.id, grant.id, words="Again.", now=AFTER)


@pytest.mark.parametrize("words", ["", "  \n", "x" * 2001])
def test_an_appeal_is_said_in_words_and_not_in_a_book(
    db: DbSession, session: WebinarSession, grant: AccreditationGrant, person: User, words: str
) -> None:
    with pytest.raises(AppealRefused):
        appeals.raise_appeal(db, session, person.id, grant.id, words=words, now=AFTER)


def test_who_was_registered_and_not_seen_may_appeal_once_it_is_over(
    db: DbSession, session: WebinarSession, grant: AccreditationGrant
) -> None:
    user = make_user(db)
    make_registration(db, session, user)

    appeal = appeals.raise_appeal(db, session, user.id, grant.id, words=WORDS, now=AFTER)

    carried = appeals.carried_by(appeal)
    assert (carried.credit, carried.decision_id) == ("", None)
    assert carried.picture is not None
    assert carried.picture.counted_seconds == 0


def test_a_stranger_has_nothing_to_appeal_against(
    db: DbSession, session: WebinarSession, grant: AccreditationGrant
) -> None:
    with pytest.raises(NotYet):
        appeals.raise_appeal(db, session, make_user(db).id, grant.id, words=WORDS, now=AFTER)


def test_nobody_appeals_before_the_end(
    db: DbSession, session: WebinarSession, grant: AccreditationGrant
) -> None:
    user = make_user(db)
    make_registration(db, session, user)
    session.status = SessionStatus.LIVE

    with pytest.raises(NotYet):
        appeals.raise_appeal(db, session, user.id, grant.id, words=WORDS, now=AFTER)


def test_a_grant_of_another_session_is_not_found(
    db: DbSession, session: WebinarSession, person: User
) -> None:
    other = make_grant(db, make_ended_session(db), "esmo-mora-live", "1")

    with pytest.raises(NotFound):
        appeals.raise_appeal(db, session, person.id, other.id, words=WORDS, now=AFTER)


def test_a_body_nobody_asked_is_not_found(
    db: DbSession, session: WebinarSession, person: User
) -> None:
    asked = make_grant(db, session, "ama-pra-live", "1", status=GrantStatus.NONE)

    with pytest.raises(NotFound):
        appeals.raise_appeal(db, session, person.id, asked.id, words=WORDS, now=AFTER)


@pytest.mark.parametrize(
    ("upheld", "state"), [(True, AppealState.UPHELD), (False, AppealState.DECLINED)]
)
def test_an_answer_goes_to_the_person_and_into_the_trail(
    db: DbSession,
    session: WebinarSession,
    grant: AccreditationGrant,
    person: User,
    upheld: bool,
    state: AppealState,
) -> None:
    officer = make_user(db, roles=(Role.ACCREDITATION_OFFICER,))
    appeal = appeals.raise_appeal(db, session, person.id, grant.id, words=WORDS, now=AFTER)

    appeals.answer(
        db,
        appeal.id,
        session_id=session.id,
        upheld=upheld,
        words="The report of the room says so.",
        actor_id=officer.id,
        now=AFTER,
    )

    mails = db.execute(
        select(Delivery.user_id, Delivery.subject_id).where(Delivery.kind == "appeal_answered")
    ).all()
    events = db.scalars(select(AuditEvent.action).order_by(AuditEvent.id)).all()
    assert (appeal.state, appeal.answered_by_id) == (state, officer.id)
    assert [tuple(mail) for mail in mails] == [(person.id, appeal.id)]
    assert events[-2:] == ["appeal raised", f"appeal {state.value}"]


def test_an_answer_is_given_once_and_with_a_reason(
    db: DbSession, session: WebinarSession, grant: AccreditationGrant, person: User
) -> None:
    officer = make_user(db)
    appeal = appeals.raise_appeal(db, session, person.id, grant.id, words=WORDS, now=AFTER)

    def answer(words: str) -> None:
        appeals.answer(
            db,
            appeal.id,
            session_id=session.id,
            upheld=False,
            words=words,
            actor_id=officer.id,
            now=AFTER,
        )

    with pytest.raises(AppealRefused):
        answer(" ")
    answer("Nobody was in the room then.")
    with pytest.raises(Conflict):
        answer("And once more.")


def test_nobody_answers_their_own_appeal(
    db: DbSession, session: WebinarSession, grant: AccreditationGrant, person: User
) -> None:
    appeal = appeals.raise_appeal(db, session, person.id, grant.id, words=WORDS, now=AFTER)

    with pytest.raises(NotAllowed, match="Ask a colleague"):
        appeals.answer(
            db,
            appeal.id,
            session_id=session.id,
            upheld=True,
            words="Of course I was.",
            actor_id=person.id,
            now=AFTER,
        )


def test_an_appeal_is_not_answered_through_another_session(
    db: DbSession, session: WebinarSession, grant: AccreditationGrant, person: User
) -> None:
    appeal = appeals.raise_appeal(db, session, person.id, grant.id, words=WORDS, now=AFTER)

    with pytest.raises(NotFound):
        appeals.answer(
            db,
            appeal.id,
            session_id=session.id + 1,
            upheld=True,
            words="Yes.",
            actor_id=make_user(db).id,
            now=AFTER,
        )


def test_only_who_raised_an_appeal_takes_it_back_and_may_raise_another(
    db: DbSession, session: WebinarSession, grant: AccreditationGrant, person: User
) -> None:
    appeal = appeals.raise_appeal(db, session, person.id, grant.id, words=WORDS, now=AFTER)

    with pytest.raises(NotFound):
        appeals.withdraw(db, appeal.id, make_user(db).id, now=AFTER)
    appeals.withdraw(db, appeal.id, person.id, now=AFTER)
    another = appeals.raise_appeal(db, session, person.id, grant.id, words="Still.", now=AFTER)

    assert appeal.state is AppealState.WITHDRAWN
    assert appeals.open_of_person(db, session.id, person.id) == {grant.id: another}
    with pytest.raises(Conflict):
        appeals.withdraw(db, appeal.id, person.id, now=AFTER)


def test_lists_name_the_appeals_of_the_societies_asked_for(
    db: DbSession, session: WebinarSession, grant: AccreditationGrant, person: User
) -> None:
    appeal = appeals.raise_appeal(db, session, person.id, grant.id, words=WORDS, now=AFTER)

    def listed(society_ids: list[int] | None) -> list[int]:
        found = appeals.listed(db, society_ids=society_ids, is_open=True, limit=9)
        return [one.id for one in found]

    assert listed(None) == [appeal.id]
    assert listed([session.society_id]) == [appeal.id]
    assert listed([]) == []
    assert appeals.count_open(db, society_ids=[session.society_id]) == 1
    assert appeals.count_open(db, society_ids=[]) == 0
