"""The organiser's pages, as a browser without scripts uses them. Dates lie in years to come."""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select

from tests.builders import (
    make_faculty,
    make_registration,
    make_series,
    make_session,
    make_society,
    make_user,
)
from webinar.db import DbSession
from webinar.domain.access import Role
from webinar.domain.recording import RecordingState
from webinar.domain.session import SessionStatus
from webinar.models import (
    Delivery,
    Recording,
    Registration,
    Series,
    SeriesException,
    User,
    WebinarSession,
)

STARTS_AT = datetime(2126, 11, 28, 17, 15, tzinfo=UTC)  # a Thursday

SERIES = {
    "do": "create",
    "name": "e-grandrounds",
    "slug": "",
    "about": "",
    "society": "eso",
    "society_name": "",
    "pattern": "weekly",
    "weekday": "TH",
    "rule": "",
    "start": "18:15",
    "minutes": "45",
    "zone": "Europe/Zurich",
    "first_day": "2126-11-28",
    "months": "6",
}
SESSION = {
    "title": "Sentinel nodes after neoadjuvant therapy",
    "abstract": "What to do with the node.",
    "objectives": "Know when to stop.",
    "language": "en",
    "more_topics": "",
    "day": "2126-11-28",
    "starts": "18:15",
    "ends": "19:00",
    "zone": "Europe/Zurich",
    "faculty-0-part": "presenter",
    "faculty-0-name": "Prof Elena Marchetti",
    "faculty-0-affiliation": "",
    "faculty-0-disclosure": "",
    "faculty-0-email": "",
}


@pytest.fixture
def organiser(db: DbSession, signed_in_as: Callable[[User], FlaskClient]) -> FlaskClient:
    user = make_user(db, "organiser@example.net", roles=(Role.ORGANISER,))
    db.commit()
    return signed_in_as(user)


@pytest.fixture
def session(db: DbSession) -> WebinarSession:
    """A session that says what SESSION says."""
    session = make_session(
        db, starts_at=STARTS_AT, status=SessionStatus.DRAFT, series=make_series(db, "rounds")
    )
    session.abstract, session.objectives = SESSION["abstract"], SESSION["objectives"]
    make_faculty(db, session)
    db.commit()
    return session


@pytest.fixture
def published(db: DbSession, organiser: FlaskClient, session: WebinarSession) -> WebinarSession:
    organiser.post(f"/manage/sessions/{session.public_id}/publish")
    return again(db, session)


def again(db: DbSession, session: WebinarSession) -> WebinarSession:
    db.refresh(session)
    db.commit()
    return session


def with_a_place(db: DbSession, session: WebinarSession) -> User:
    user = make_user(db)
    make_registration(db, session, user)
    db.commit()
    return user


@pytest.mark.parametrize("path", ["", "series/", "series/new", "sessions/", "recordings/"])
def test_an_empty_house_says_what_to_do_first(organiser: FlaskClient, path: str) -> None:
    answer = organiser.get(f"/manage/{path}")

    assert answer.status_code == 200
    assert ("Create a series" in answer.text) is (path in ("", "series/", "series/new"))


def test_a_participant_is_kept_out(
    db: DbSession, signed_in_as: Callable[[User], FlaskClient]
) -> None:
    user = make_user(db)
    db.commit()

    answer = signed_in_as(user).get("/manage/")

    assert answer.status_code == 403
    assert "Your account may not accredit sessions" in answer.text


def test_the_first_page_says_what_waits(
    db: DbSession, organiser: FlaskClient, session: WebinarSession
) -> None:
    soon = datetime.now(UTC) + timedelta(days=3)
    make_session(db, starts_at=soon, status=SessionStatus.DRAFT, title="A draft soon")
    make_session(db, starts_at=soon - timedelta(days=3), status=SessionStatus.LIVE, title="On air")
    ended = make_session(db, starts_at=soon - timedelta(days=180), title="Long ago")
    ended.status = SessionStatus.ENDED
    db.add(
        Recording(
            public_id="r1",
            session_id=ended.id,
            state=RecordingState.PUBLISHED,
            opens_at=soon - timedelta(days=180),
            closes_at=soon,
            published_at=soon - timedelta(days=180),
            created_at=soon - timedelta(days=180),
        )
    )
    db.commit()

    page = organiser.get("/manage/").text

    assert "1 session live now" in page
    assert "1 draft in the next four weeks" in page
    assert "1 session without a presenter" in page
    assert "1 recording closing soon" in page
    assert "Closes in 2 days" in page


def test_the_picture_shows_the_weeks_asked_for(
    organiser: FlaskClient, session: WebinarSession
) -> None:
    shown = organiser.get("/manage/?from=2126-11-20").text
    elsewhere = organiser.get("/manage/?from=2125-01-01").text
    odd = organiser.get("/manage/?from=nonsense")

    assert session.title not in elsewhere
    assert "nonsense" not in odd.text
    assert odd.status_code == 200
    # Years beyond 2100 are a slip of the keyboard: today's weeks are shown.
    assert session.title not in shown


def test_a_series_is_created_and_its_dates_are_shown_before_they_are_planned(
    db: DbSession, organiser: FlaskClient
) -> None:
    make_society(db, "eso")
    db.commit()

    created = organiser.post("/manage/series/new", data=SERIES)
    shown = organiser.get("/manage/series/e-grandrounds?until=2126-12-12")
    before = db.scalars(select(WebinarSession)).all()
    db.commit()
    planned = organiser.post(
        "/manage/series/e-grandrounds/plan", data={"until": "2126-12-12"}, follow_redirects=True
    )

    made = db.scalars(select(Series)).one()
    assert created.status_code == 302
    assert (made.slug, made.rules[0].rule) == ("e-grandrounds", "FREQ=WEEKLY;BYDAY=TH")
    assert "Plan 3 drafts" in shown.text
    assert before == []
    assert "3 drafts planned." in planned.text
    days = db.scalars(select(WebinarSession.planned_day).order_by(WebinarSession.planned_day))
    assert days.all() == [date(2126, 11, 28), date(2126, 12, 5), date(2126, 12, 12)]


def test_planning_further_says_what_is_there_already(db: DbSession, organiser: FlaskClient) -> None:
    make_society(db, "eso")
    db.commit()
    organiser.post("/manage/series/new", data=SERIES)
    organiser.post("/manage/series/e-grandrounds/plan", data={"until": "2126-12-05"})

    further = organiser.get("/manage/series/e-grandrounds?until=2126-12-12").text
    same = organiser.get("/manage/series/e-grandrounds?until=2126-12-05").text

    assert "<strong>1 new date</strong>, 2 dates planned already." in further
    assert "Plan 1 draft<" in further
    assert "Every date up to then is planned already." in same


def test_a_preview_stores_nothing_and_keeps_what_was_typed(
    db: DbSession, organiser: FlaskClient
) -> None:
    answer = organiser.post(
        "/manage/series/new", data={**SERIES, "do": "preview", "name": "Half a na"}
    )

    assert answer.status_code == 200
    assert "Thu 28 Nov 2126" in answer.text
    assert 'value="Half a na"' in answer.text
    assert "Every Thursday, 18:15, Zurich time." in answer.text
    assert db.scalars(select(Series)).all() == []


@pytest.mark.parametrize(
    ("change", "status", "sentence"),
    [
        ({"name": ""}, 422, "Give the series a name."),
        ({"slug": "Not A Slug"}, 422, "cannot stand in an address"),
        ({"slug": "taken"}, 409, "There is a series called taken already"),
        ({"start": "6pm"}, 422, "Give the start as hours and minutes"),
        ({"start": "02:30", "weekday": "SU"}, 422, "02:30 on 30 March 2127 does not exist"),
        ({"minutes": "0"}, 422, "A session has to end after it starts."),
        ({"minutes": "ten"}, 422, "Give the length in whole minutes"),
        ({"minutes": "999999999999"}, 422, "Give the length in whole minutes"),
        ({"zone": "Europe/Zuerich"}, 422, "There is no time zone called"),
        ({"first_day": "2126-02-30"}, 422, "Give the first day as a date"),
        ({"pattern": "own", "rule": ""}, 422, "Write the rule"),
        ({"pattern": "own", "rule": "weekly"}, 422, "FREQ=WEEKLY;BYDAY=TH"),
        (
            {"pattern": "own", "rule": "FREQ=WEEKLY;BYDAY=TH;UNTIL=20200101"},
            422,
            "The rule names no date",
        ),
        ({"months": "0"}, 422, "Recordings stay open for 1 to 60 months"),
        ({"society": "nobody"}, 404, "There is no society called"),
        ({"society": "new"}, 422, "Give the name of the other society."),
        ({"society": "new", "society_name": "Αθήνα"}, 422, "with some Latin letters"),
        ({"society": "new", "society_name": "ESO"}, 409, "There is a society called eso already"),
    ],
)
def test_a_series_that_makes_no_sense_is_refused_beside_its_field(
    db: DbSession, organiser: FlaskClient, change: dict[str, str], status: int, sentence: str
) -> None:
    make_series(db, "taken", society=make_society(db, "eso"))
    db.commit()

    answer = organiser.post("/manage/series/new", data={**SERIES, "name": "Rounds", **change})

    assert sentence in answer.text
    assert answer.status_code == status
    assert "nothing you typed is lost" in answer.text
    assert db.scalars(select(Series.slug)).all() == ["taken"]


def test_the_first_series_can_bring_its_society(db: DbSession, organiser: FlaskClient) -> None:
    organiser.post(
        "/manage/series/new", data={**SERIES, "society": "new", "society_name": "School"}
    )

    made = db.scalars(select(Series)).one()
    assert (made.society.slug, made.society.name) == ("school", "School")


def test_a_missing_name_of_another_society_is_said_beside_that_name(
    organiser: FlaskClient,
) -> None:
    answer = organiser.post("/manage/series/new", data={**SERIES, "society": "new"})

    assert 'id="f-society_name-error">Give the name of the other society.' in answer.text
    assert 'id="f-slug-error"' not in answer.text


@pytest.mark.parametrize(
    ("path", "sentence"),
    [
        ("?until=soon", "Give the last day as a date"),
        ("?until=2020-01-01", "is before the first"),
        ("?until=2199-01-01", "You can plan 3 years at a time."),
    ],
)
def test_an_impossible_last_day_is_said_beside_its_field(
    db: DbSession, organiser: FlaskClient, path: str, sentence: str
) -> None:
    make_series(db, "rounds")
    db.commit()

    answer = organiser.get(f"/manage/series/rounds{path}")

    assert answer.status_code == 200
    assert 'id="f-until-error">' in answer.text
    assert sentence in answer.text


def test_planning_without_a_day_is_refused(db: DbSession, organiser: FlaskClient) -> None:
    make_series(db, "rounds")
    db.commit()

    answer = organiser.post("/manage/series/rounds/plan", data={"until": "soon"})

    assert answer.status_code == 422
    assert db.scalars(select(WebinarSession)).all() == []


def test_a_day_is_left_out_with_its_reason(db: DbSession, organiser: FlaskClient) -> None:
    make_series(db, "rounds")
    db.commit()

    organiser.post(
        "/manage/series/rounds/exceptions", data={"day": "2026-12-24", "reason": "Holidays"}
    )
    refused = organiser.post("/manage/series/rounds/exceptions", data={"day": "", "reason": ""})

    exception = db.scalars(select(SeriesException)).one()
    assert (exception.day, exception.reason) == (date(2026, 12, 24), "Holidays")
    assert refused.status_code == 422
    assert "Say why the series does not meet on that day." in refused.text


def test_an_unknown_series_or_session_is_not_found(organiser: FlaskClient) -> None:
    assert organiser.get("/manage/series/nothing").status_code == 404
    assert organiser.get("/manage/sessions/nothing").status_code == 404
    assert organiser.post("/manage/sessions/nothing/publish").status_code == 404
    assert organiser.get("/manage/sessions/?series=nothing").status_code == 404


def test_sessions_are_filtered_sorted_and_exported(
    db: DbSession, organiser: FlaskClient, session: WebinarSession
) -> None:
    other = make_session(db, starts_at=STARTS_AT, title="=HYPERLINK(1)")
    make_faculty(db, other, name="Dr Jan Novak")
    db.commit()

    drafts = organiser.get("/manage/sessions/?status=draft").text
    found = organiser.get("/manage/sessions/?words=novak").text
    nothing = organiser.get("/manage/sessions/?words=50%25").text
    by_title = organiser.get("/manage/sessions/?sort=-title").text
    table = organiser.get("/manage/sessions/?format=csv")

    assert (session.title in drafts, other.title in drafts) == (True, False)
    assert (session.title in found, other.title in found) == (False, True)
    assert "No session fits" in nothing
    assert by_title.index(session.title) < by_title.index(other.title)
    assert table.mimetype == "text/csv"
    assert "'=HYPERLINK(1)" in table.text


def test_a_session_is_edited_with_topics_and_faculty(
    db: DbSession, organiser: FlaskClient, session: WebinarSession
) -> None:
    speaker = make_user(db, "speaker@example.net")
    db.commit()

    answer = organiser.post(
        f"/manage/sessions/{session.public_id}",
        data={
            **SESSION,
            "title": "Nodes, revisited",
            "more_topics": "Breast cancer, Surgery",
            "faculty-0-email": "Speaker@example.net",
            "faculty-3-part": "moderator",
            "faculty-3-name": "Dr Jan Novak",
        },
        follow_redirects=True,
    )

    assert "Saved." in answer.text
    again(db, session)
    assert session.title == "Nodes, revisited"
    assert [topic.name for topic in session.topics] == ["Breast cancer", "Surgery"]
    assert [(member.name, member.user_id) for member in session.faculty] == [
        ("Prof Elena Marchetti", speaker.id),
        ("Dr Jan Novak", None),
    ]


def test_saving_what_is_there_says_so(organiser: FlaskClient, session: WebinarSession) -> None:
    answer = organiser.post(
        f"/manage/sessions/{session.public_id}", data=SESSION, follow_redirects=True
    )

    assert "Nothing was different" in answer.text


def test_a_person_is_taken_out_of_the_faculty(
    db: DbSession, organiser: FlaskClient, session: WebinarSession
) -> None:
    typed = {**SESSION, "faculty-1-part": "presenter", "faculty-1-name": "Dr Jan Novak"}

    organiser.post(f"/manage/sessions/{session.public_id}", data={**typed, "faculty-0-out": "y"})

    assert [member.name for member in again(db, session).faculty] == ["Dr Jan Novak"]


def test_another_row_for_the_faculty_keeps_what_was_typed(
    db: DbSession, organiser: FlaskClient, session: WebinarSession
) -> None:
    answer = organiser.post(
        f"/manage/sessions/{session.public_id}",
        data={**SESSION, "title": "Half a ti", "do": "add-person"},
    )

    assert 'name="faculty-1-name"' in answer.text
    assert 'value="Half a ti"' in answer.text
    assert again(db, session).title == SESSION["title"]


@pytest.mark.parametrize(
    ("change", "status", "sentence"),
    [
        ({"title": ""}, 422, "Give the session a title."),
        ({"title": "x" * 301}, 422, "at most 300 characters"),
        ({"day": "28.11.2126"}, 422, "Give the day as a date"),
        ({"starts": ""}, 422, "Give the start as hours and minutes"),
        ({"ends": "18:15"}, 422, "The session ends before it starts."),
        ({"ends": "17:00"}, 422, "The session ends before it starts."),
        ({"zone": "Mars/Olympus"}, 422, "There is no time zone called"),
        (
            {"day": "2127-03-30", "starts": "02:30", "ends": "03:30"},
            422,
            "02:30 on 30 March 2127 does not exist in Europe/Zurich",
        ),
        ({"day": "2020-11-26"}, 409, "is over. Choose a time to come."),
        ({"abstract": ""}, 422, "still needs an abstract"),
        ({"faculty-0-part": "moderator"}, 422, "still needs a presenter"),
        ({"faculty-0-name": "", "faculty-0-affiliation": "Ticino"}, 422, "Give this person a name"),
        ({"faculty-0-email": "no@example.net"}, 422, "No account has the address no@example.net"),
        ({"more_topics": "--"}, 422, "cannot be a topic"),
    ],
)
def test_a_refused_edit_keeps_what_was_typed_and_changes_nothing(
    db: DbSession,
    organiser: FlaskClient,
    published: WebinarSession,
    change: dict[str, str],
    status: int,
    sentence: str,
) -> None:
    typed = {**SESSION, "objectives": "Typed just now.", **change}

    answer = organiser.post(f"/manage/sessions/{published.public_id}", data=typed)

    assert sentence in answer.text
    assert "Typed just now." in answer.text
    assert answer.status_code == status
    again(db, published)
    assert (published.objectives, published.starts_at) == (SESSION["objectives"], STARTS_AT)
    assert published.ical_sequence == 0


def test_a_new_time_is_confirmed_before_anybody_is_told(
    db: DbSession, organiser: FlaskClient, published: WebinarSession
) -> None:
    user = with_a_place(db, published)
    path, typed = f"/manage/sessions/{published.public_id}", {**SESSION, "day": "2126-12-05"}

    asked = organiser.post(path, data=typed)
    unmoved = again(db, published).starts_at
    saved = organiser.post(path, data={**typed, "confirmed": "y"}, follow_redirects=True)

    assert "Save and tell 1 person" in asked.text
    assert "From Thu 28 Nov 2126, 18:15–19:00 CET to" in asked.text
    assert "<strong>Thu 5 Dec 2126, 18:15–19:00 CET</strong>" in asked.text
    assert unmoved == STARTS_AT
    assert "Saved. 1 person is told by mail." in saved.text
    assert again(db, published).starts_at == STARTS_AT + timedelta(days=7)
    told = db.scalars(select(Delivery.user_id).where(Delivery.kind == "session_moved")).all()
    assert told == [user.id]


def test_publishing_says_what_is_missing(
    db: DbSession, organiser: FlaskClient, session: WebinarSession
) -> None:
    session.abstract = ""
    db.commit()

    answer = organiser.post(f"/manage/sessions/{session.public_id}/publish")

    assert answer.status_code == 422
    assert "The session still needs an abstract before people can see it." in answer.text
    assert again(db, session).status is SessionStatus.DRAFT


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


def test_recordings_are_listed_with_their_window(
    db: DbSession, organiser: FlaskClient, session: WebinarSession
) -> None:
    session.status = SessionStatus.ENDED
    db.add(
        Recording(
            public_id="r1",
            session_id=session.id,
            state=RecordingState.PUBLISHED,
            duration_seconds=2650.0,
            opens_at=STARTS_AT,
            closes_at=datetime(2127, 5, 28, 17, 0, tzinfo=UTC),
            published_at=STARTS_AT,
            created_at=STARTS_AT,
        )
    )
    db.commit()

    page = organiser.get("/manage/recordings/").text

    assert "28 May 2127, 19:00 Zurich" in page
    assert "44:10" in page
