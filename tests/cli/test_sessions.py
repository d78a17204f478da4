"""flask sessions, as a person types it. Dates lie in years to come: commands read the clock."""

import json
from datetime import UTC, date, datetime

import pytest
from click.testing import Result
from flask import Flask
from sqlalchemy import select

from tests.builders import make_ready, make_registration, make_series, make_session, make_user
from webinar.db import DbSession
from webinar.domain.session import SessionStatus
from webinar.models import Delivery, WebinarSession

STARTS_AT = datetime(2126, 11, 26, 17, 15, tzinfo=UTC)


def run(app: Flask, *args: str) -> Result:
    return app.test_cli_runner().invoke(args=["sessions", *args])


@pytest.fixture
def draft(db: DbSession) -> WebinarSession:
    session = make_session(
        db, starts_at=STARTS_AT, status=SessionStatus.DRAFT, series=make_series(db, "rounds")
    )
    make_ready(db, session)
    db.commit()
    return session


@pytest.fixture
def published(app: Flask, db: DbSession, draft: WebinarSession) -> WebinarSession:
    result = run(app, "publish", draft.public_id)
    db.refresh(draft)
    db.commit()
    assert result.output == (
        "Published: Sentinel nodes after neoadjuvant therapy, Tue 26 Nov 2126, 18:15 CET.\n"
    )
    return draft


def test_sessions_are_listed_and_filtered(app: Flask, db: DbSession, draft: WebinarSession) -> None:
    other = make_session(db, title="Another evening")
    db.commit()

    everything = run(app, "list").output
    drafts = run(app, "list", "--series", "rounds", "--status", "draft", "--from", "2100-01-01")

    assert everything == (
        f"{other.public_id}  Thu 26 Nov 2026, 18:15 CET  published  Another evening\n"
        f"{draft.public_id}  Tue 26 Nov 2126, 18:15 CET  draft      {draft.title}\n"
    )
    assert drafts.output == everything.splitlines(keepends=True)[1]


def test_sessions_are_listed_as_json(app: Flask, draft: WebinarSession) -> None:
    assert json.loads(run(app, "list", "--json").output) == [
        {
            "id": draft.public_id,
            "title": draft.title,
            "status": "draft",
            "starts_at": "2126-11-26T17:15:00Z",
            "ends_at": "2126-11-26T18:00:00Z",
            "zone": "Europe/Zurich",
        }
    ]


def test_a_moved_session_tells_who_is_registered(
    app: Flask, db: DbSession, published: WebinarSession
) -> None:
    make_registration(db, published, make_user(db))
    db.commit()

    result = run(app, "move", published.public_id, "2126-12-03 18:15")
    again = run(app, "move", published.public_id, "2126-12-03T18:15")

    assert result.output == "Moved to Tue 3 Dec 2126, 18:15 CET. 1 person is told by mail.\n"
    assert again.output == (
        "It is already planned for Tue 3 Dec 2126, 18:15 CET. 0 people are told by mail.\n"
    )
    db.refresh(published)
    assert published.starts_at == datetime(2126, 12, 3, 17, 15, tzinfo=UTC)
    kinds = db.scalars(select(Delivery.kind).where(Delivery.kind == "session_moved")).all()
    assert kinds == ["session_moved"]


@pytest.mark.parametrize(
    ("args", "sentence"),
    [
        (["2126-12-03"], "'2126-12-03' is not a day and a time."),
        (["2020-12-03 18:15"], "Thu 3 Dec 2020, 18:15 CET is over. Choose a time to come."),
        (["2126-03-31 02:30"], "does not exist in Europe/Zurich"),
        (["2126-12-03 18:15", "--minutes", "0"], "The session ends before it starts."),
    ],
)
def test_a_refused_move_changes_nothing(
    app: Flask, db: DbSession, published: WebinarSession, args: list[str], sentence: str
) -> None:
    result = run(app, "move", published.public_id, *args)

    assert sentence in result.output
    assert result.exit_code != 0
    db.refresh(published)
    assert (published.starts_at, published.ical_sequence) == (STARTS_AT, 0)


def test_cancelling_keeps_the_reason(app: Flask, db: DbSession, published: WebinarSession) -> None:
    result = run(app, "cancel", published.public_id, "--reason", "The speaker is ill.")

    assert result.output == f"Cancelled: {published.title}. 0 people are told by mail.\n"
    db.refresh(published)
    assert (published.status, published.cancellation_reason) == (
        SessionStatus.CANCELLED,
        "The speaker is ill.",
    )


def test_a_draft_is_discarded_and_its_day_excepted(
    app: Flask, db: DbSession, draft: WebinarSession
) -> None:
    draft.planned_day = date(2126, 11, 26)
    db.commit()

    result = run(app, "discard", draft.public_id, "--reason", "Congress")

    assert result.output == "Discarded. Nobody had been told of it.\n"
    db.expire_all()
    assert db.scalars(select(WebinarSession)).all() == []


@pytest.mark.parametrize(
    "args",
    [
        ["publish", "nothing"],
        ["move", "nothing", "2126-12-03 18:15"],
        ["cancel", "nothing", "--reason", "x"],
        ["discard", "nothing", "--reason", "x"],
    ],
)
def test_an_unknown_session_is_refused_with_a_sentence(app: Flask, args: list[str]) -> None:
    result = run(app, *args)

    assert (result.output, result.exit_code) == (
        "Error: There is no such session, or it is not announced yet.\n",
        1,
    )


def test_the_last_change_is_taken_back_before_anybody_is_told(
    app: Flask, db: DbSession, published: WebinarSession
) -> None:
    make_registration(db, published, make_user(db))
    db.commit()
    run(app, "move", published.public_id, "2126-12-03 18:15")

    result = run(app, "undo")
    again = run(app, "undo")

    assert result.output == (
        "Taken back: Moved: Sentinel nodes after neoadjuvant therapy, Tue 3 Dec 2126, 18:15 CET. "
        "0 people are told by mail.\n"
    )
    assert again.output == "Error: There is nothing to take back: mails leave after 5 minutes.\n"
    db.refresh(published)
    assert published.starts_at == STARTS_AT
    assert db.scalars(select(Delivery).where(Delivery.kind == "session_moved")).one().due_at is None


def test_a_placeholder_is_published_with_a_reason(app: Flask, db: DbSession) -> None:
    session = make_session(db, starts_at=STARTS_AT, status=SessionStatus.DRAFT)
    db.commit()

    refused = run(app, "publish", session.public_id)
    result = run(app, "publish", session.public_id, "--override", "The speaker is named in May.")

    assert "still needs an abstract, learning objectives and a presenter" in refused.output
    assert result.exit_code == 0
    db.refresh(session)
    assert (session.status, session.override_reason) == (
        SessionStatus.PUBLISHED,
        "The speaker is named in May.",
    )


def test_a_cancelled_session_is_restored(
    app: Flask, db: DbSession, published: WebinarSession
) -> None:
    run(app, "cancel", published.public_id, "--reason", "The speaker is ill.")

    result = run(app, "restore", published.public_id)

    assert result.output == (
        "It takes place after all: Sentinel nodes after neoadjuvant therapy. "
        "0 people are told by mail.\n"
    )
