"""What is done to a session by one button. Dates lie in years to come."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select

from tests.builders import make_session, make_user
from tests.web.managing import STARTS_AT, again, with_a_place
from webinar.db import DbSession
from webinar.domain.access import Role
from webinar.domain.session import SessionStatus
from webinar.models import AuditEvent, Registration, SeasonChange, User, WebinarSession


def test_publishing_says_what_is_missing(
    db: DbSession, organiser: FlaskClient, session: WebinarSession
) -> None:
    session.abstract, session.objectives = "", ""
    session.faculty[0].disclosure = ""
    db.commit()
    path = f"/manage/sessions/{session.public_id}"

    page = organiser.get(path).text
    answer = organiser.post(f"{path}/publish")

    assert f'<a href="{path}#f-abstract">an abstract</a>' in page
    assert f'<a href="{path}#f-objectives">learning objectives</a>' in page
    assert f'{path}/faculty">the disclosure of Prof Elena Marchetti</a>' in page
    assert answer.status_code == 422
    assert "The session still needs an abstract, learning objectives and the disc" in answer.text
    assert again(db, session).status is SessionStatus.DRAFT


def test_a_placeholder_is_published_with_a_reason_that_stays(
    db: DbSession, organiser: FlaskClient, session: WebinarSession
) -> None:
    session.title = "To be announced"
    db.commit()
    path = f"/manage/sessions/{session.public_id}"

    refused = organiser.post(f"{path}/publish", data={"override": "y", "override_reason": " "})
    still = again(db, session).status
    organiser.post(
        f"{path}/publish", data={"override": "y", "override_reason": "The date is what counts."}
    )
    page = organiser.get(path).text

    assert (refused.status_code, still) == (422, SessionStatus.DRAFT)
    assert "Say why it is published although something is missing" in refused.text
    assert "The date is what counts." in page
    event = db.scalars(
        select(AuditEvent).where(AuditEvent.action == "session published with an override")
    ).one()
    assert event.reason == "The date is what counts."
    assert again(db, session).status is SessionStatus.PUBLISHED


def test_a_published_session_becomes_a_draft_while_nobody_is_registered(
    db: DbSession, organiser: FlaskClient, published: WebinarSession
) -> None:
    path = f"/manage/sessions/{published.public_id}"
    user = with_a_place(db, published)

    refused = organiser.post(f"{path}/unpublish")
    place = db.scalars(select(Registration).where(Registration.user_id == user.id)).one()
    place.cancelled_at = STARTS_AT
    db.commit()
    organiser.post(f"{path}/unpublish")

    assert refused.status_code == 409
    assert "1 person has registered already." in refused.text
    assert again(db, published).status is SessionStatus.DRAFT


def test_cancelling_says_how_many_are_told_and_needs_a_reason(
    db: DbSession, organiser: FlaskClient, published: WebinarSession
) -> None:
    path = f"/manage/sessions/{published.public_id}"
    with_a_place(db, published)

    page = organiser.get(path).text
    refused = organiser.post(f"{path}/cancel", data={"reason": " "})
    still = again(db, published).status
    done = organiser.post(
        f"{path}/cancel", data={"reason": "The speaker is ill."}, follow_redirects=True
    )

    assert "Cancel it and tell 1 person" in page
    assert (refused.status_code, still) == (422, SessionStatus.PUBLISHED)
    assert "Say why the session is cancelled" in refused.text
    assert "Cancelled. 1 person is told by mail." in done.text
    assert "The speaker is ill." in done.text
    assert again(db, published).status is SessionStatus.CANCELLED


def test_a_cancelled_session_takes_place_after_all(
    db: DbSession, organiser: FlaskClient, published: WebinarSession
) -> None:
    path = f"/manage/sessions/{published.public_id}"
    organiser.post(f"{path}/cancel", data={"reason": "The speaker is ill."})

    answer = organiser.post(f"{path}/restore", follow_redirects=True)

    assert "It takes place after all." in answer.text
    assert again(db, published).status is SessionStatus.PUBLISHED


def test_a_draft_is_discarded(
    db: DbSession, organiser: FlaskClient, session: WebinarSession
) -> None:
    path = f"/manage/sessions/{session.public_id}"

    refused = organiser.post(f"{path}/discard", data={"reason": ""})
    answer = organiser.post(f"{path}/discard", data={"reason": "Congress"}, follow_redirects=True)

    assert refused.status_code == 422
    assert "The draft is gone" in answer.text
    db.expire_all()
    assert db.scalars(select(WebinarSession)).all() == []


@pytest.mark.parametrize("status", list(SessionStatus))
def test_every_state_has_its_page(
    db: DbSession, organiser: FlaskClient, session: WebinarSession, status: SessionStatus
) -> None:
    session.status = status
    session.cancellation_reason = "The speaker is ill."
    make_session(db, starts_at=STARTS_AT, title="At the same hour")
    db.commit()

    answer = organiser.get(f"/manage/sessions/{session.public_id}")

    assert answer.status_code == 200
    assert "At the same hour" in answer.text


def test_a_move_is_confirmed_and_then_taken_back_before_the_mails_leave(
    db: DbSession, organiser: FlaskClient, published: WebinarSession
) -> None:
    with_a_place(db, published)
    path = f"/manage/sessions/{published.public_id}"
    to = {"day": "2126-12-05", "starts": "18:30"}

    asked = organiser.post(f"{path}/move", data=to)
    unmoved = again(db, published).starts_at
    other = organiser.post(f"{path}/move", data={**to, "confirmed": "2126-12-06T18:30"}).text
    moved = organiser.post(
        f"{path}/move", data={**to, "confirmed": "2126-12-05T18:30"}, follow_redirects=True
    ).text
    there = again(db, published).starts_at
    change = db.scalars(select(SeasonChange).order_by(SeasonChange.id.desc()).limit(1)).one()
    undo = f"/manage/changes/{change.id}/undo"
    db.commit()
    undone = organiser.post(
        undo, headers={"Referer": f"http://localhost{path}"}, follow_redirects=True
    )
    twice = organiser.post(undo, follow_redirects=True)

    assert "1 person will be told by mail" in asked.text
    assert "From Thu 28 Nov 2126, 18:15–19:00 CET to" in asked.text
    assert "Move it and tell them" in other
    assert unmoved == STARTS_AT
    assert "Moved. 1 person is told by mail." in moved
    assert "Mails leave at" in moved
    assert f'action="{undo}"' in moved
    assert there == STARTS_AT + timedelta(days=7, minutes=15)
    assert "Taken back." in undone.text
    assert undone.request.path == path
    assert again(db, published).starts_at == STARTS_AT
    assert f'action="{undo}"' not in undone.text
    assert "This change is taken back already." in twice.text


def test_a_move_to_nowhere_is_refused_beside_its_field(
    db: DbSession, organiser: FlaskClient, published: WebinarSession
) -> None:
    for day, starts, status, sentence in (
        ("soon", "18:15", 422, "Give the day as a date"),
        ("2126-12-05", "late", 422, "Give the start as hours"),
        ("2127-03-30", "02:30", 422, "does not exist"),
        ("2020-12-05", "18:15", 409, "Choose a time to come."),
    ):
        answer = organiser.post(
            f"/manage/sessions/{published.public_id}/move", data={"day": day, "starts": starts}
        )

        assert answer.status_code == status
        assert sentence in answer.text
        assert f'value="{day}"' in answer.text
    assert again(db, published).starts_at == STARTS_AT


def test_only_who_made_a_change_takes_it_back(
    db: DbSession,
    organiser: FlaskClient,
    published: WebinarSession,
    signed_in_as: Callable[[User], FlaskClient],
) -> None:
    organiser.post(
        f"/manage/sessions/{published.public_id}/cancel", data={"reason": "The speaker is ill."}
    )
    other = signed_in_as(make_user(db, roles=(Role.ORGANISER,)))
    change = db.scalars(select(SeasonChange)).one()
    db.commit()

    page = other.get("/manage/sessions/").text
    answer = other.post(f"/manage/changes/{change.id}/undo", follow_redirects=True)

    assert "Mails leave at" not in page
    assert "Only who made this change can take it back." in answer.text
    assert again(db, published).status is SessionStatus.CANCELLED


def test_a_session_that_is_over_cannot_be_moved(
    db: DbSession, organiser: FlaskClient, session: WebinarSession
) -> None:
    session.status = SessionStatus.ENDED
    db.commit()

    assert organiser.get(f"/manage/sessions/{session.public_id}/move").status_code == 409


def test_another_one_like_it_is_a_draft_without_registrations(
    db: DbSession, organiser: FlaskClient, published: WebinarSession
) -> None:
    with_a_place(db, published)
    path = f"/manage/sessions/{published.public_id}/duplicate"

    page = organiser.get(path).text
    refused = organiser.post(path, data={"day": "", "starts": "18:15"})
    gap = organiser.post(path, data={"day": "2127-03-30", "starts": "02:30"})
    made = organiser.post(
        path, data={"day": "2126-12-05", "starts": "18:15"}, follow_redirects=True
    )

    assert 'value="2126-12-05"' in page
    assert [refused.status_code, gap.status_code] == [422, 422]
    assert "The draft is made." in made.text
    copy = db.scalars(select(WebinarSession).where(WebinarSession.id != published.id)).one()
    assert (copy.title, copy.status) == (published.title, SessionStatus.DRAFT)
    assert copy.starts_at == STARTS_AT + timedelta(days=7)
    assert db.scalars(select(Registration.session_id)).all() == [published.id]


def test_restoring_says_how_many_are_told(
    db: DbSession, organiser: FlaskClient, published: WebinarSession
) -> None:
    with_a_place(db, published)
    path = f"/manage/sessions/{published.public_id}"
    organiser.post(f"{path}/cancel", data={"reason": "The speaker is ill."})

    assert "Restore it and tell 1 person" in organiser.get(path).text


def test_a_discarded_draft_comes_back(
    db: DbSession, organiser: FlaskClient, session: WebinarSession
) -> None:
    title = session.title
    organiser.post(f"/manage/sessions/{session.public_id}/discard", data={"reason": "Congress"})
    change = db.scalars(select(SeasonChange)).one()
    db.commit()

    organiser.post(f"/manage/changes/{change.id}/undo")

    assert db.scalars(select(WebinarSession.title)).all() == [title]


def test_a_session_without_anybody_is_cancelled_without_a_word_of_mail(
    organiser: FlaskClient, published: WebinarSession
) -> None:
    path = f"/manage/sessions/{published.public_id}"

    page = organiser.get(path).text
    done = organiser.post(
        f"{path}/cancel", data={"reason": "The hall is closed."}, follow_redirects=True
    )

    assert "Nobody is registered yet." in page
    assert "Cancelled. Nobody is registered, so nobody is told." in done.text
