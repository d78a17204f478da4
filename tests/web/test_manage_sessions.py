"""The form of a session, as a browser without scripts uses it. Dates lie in years to come."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select

from tests.builders import (
    make_faculty,
    make_registration,
    make_session,
    make_society,
    make_user,
)
from tests.web.managing import SESSION, STARTS_AT, again, with_a_place
from webinar.db import DbSession
from webinar.domain.access import Role
from webinar.domain.session import SessionStatus
from webinar.models import AudienceGroup, Delivery, SeasonChange, User, WebinarSession
from webinar.web.manage.session_form import Typed


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
        ({"faculty-0-email": "no@"}, 422, "Check your e-mail"),
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


def opened(db: DbSession, session: WebinarSession) -> dict[str, str]:
    """The hidden fields of the form as it is opened now."""
    db.refresh(session)
    typed = Typed.from_session(db, session)
    db.commit()
    return {"revision": str(session.revision), "base": typed.as_json()}


def test_the_second_of_two_organisers_is_shown_the_change_of_the_first(
    db: DbSession,
    organiser: FlaskClient,
    signed_in_as: Callable[[User], FlaskClient],
    session: WebinarSession,
) -> None:
    other = make_user(db, name="Dr Ada Roth", roles=(Role.ORGANISER,))
    db.commit()
    path, form = f"/manage/sessions/{session.public_id}", {**SESSION, **opened(db, session)}

    signed_in_as(other).post(path, data={**form, "title": "Ada's title"})
    shown = organiser.post(path, data={**form, "title": "My title", "abstract": "My words."})
    kept = again(db, session).title

    assert shown.status_code == 409
    assert kept == "Ada&#39;s title".replace("&#39;", "'")
    assert "Somebody changed this session meanwhile" in shown.text
    assert "Dr Ada Roth" in shown.text
    assert "Ada&#39;s title" in shown.text
    assert "My title" in shown.text
    # Only the abstract was changed by one alone.
    assert shown.text.count(" checked>") == 1


def test_what_is_chosen_is_saved_and_a_third_change_is_noticed_again(
    db: DbSession, organiser: FlaskClient, session: WebinarSession
) -> None:
    path, form = f"/manage/sessions/{session.public_id}", {**SESSION, **opened(db, session)}
    first = Typed.from_json(form["base"])
    organiser.post(path, data={**form, "title": "Theirs", "language": "de"})
    mine = Typed.from_form({**SESSION, "title": "Mine", "abstract": "My words."}, ())
    beside = {
        **opened(db, session),
        "first": first.as_json() if first else "",
        "mine": mine.as_json(),
        "do": "merge",
    }

    unsettled = organiser.post(path, data=beside)
    organiser.post(path, data={**form, **opened(db, session), "objectives": "Third."})
    again_asked = organiser.post(path, data={**beside, "pick-title": "mine"})
    still = again(db, session).title
    late = {**beside, **opened(db, session), "first": beside["base"], "pick-title": "mine"}
    saved = organiser.post(path, data={**late, "pick-abstract": "mine"}, follow_redirects=True)

    assert unsettled.status_code == 422
    assert "Title: choose which words stand." in unsettled.text
    assert again_asked.status_code == 409
    assert still == "Sentinel nodes after neoadjuvant therapy"
    assert "Saved." in saved.text
    assert again(db, session).title == "Mine"


def test_what_was_filled_in_elsewhere_meanwhile_stays(
    db: DbSession, organiser: FlaskClient, session: WebinarSession
) -> None:
    form = {**SESSION, **opened(db, session), "faculty-0-id": str(session.faculty[0].id)}
    session.faculty[0].disclosure = "Speaker's fees from Novartis."
    db.commit()

    organiser.post(f"/manage/sessions/{session.public_id}", data={**form, "title": "New"})

    again(db, session)
    assert session.title == "New"
    assert session.faculty[0].disclosure == "Speaker's fees from Novartis."


def test_faculty_without_an_account_get_one_that_waits(
    db: DbSession, organiser: FlaskClient, session: WebinarSession
) -> None:
    organiser.post(
        f"/manage/sessions/{session.public_id}",
        data={**SESSION, "faculty-0-email": "Elena@Example.net"},
    )

    user = db.scalars(select(User).where(User.email == "elena@example.net")).one()
    assert (user.name, user.verified_at) == ("Prof Elena Marchetti", None)
    assert again(db, session).faculty[0].user_id == user.id


def test_level_and_groups_are_saved(
    db: DbSession, organiser: FlaskClient, session: WebinarSession
) -> None:
    db.add(AudienceGroup(slug="juniors", name="Juniors"))
    db.commit()
    path = f"/manage/sessions/{session.public_id}"

    organiser.post(path, data={**SESSION, "level": "advanced", "audience": "Juniors"})
    odd = organiser.post(path, data={**SESSION, "level": "expert"})
    page = organiser.get(path).text

    assert again(db, session).level == "advanced"
    assert [group.name for group in session.audience] == ["Juniors"]
    assert "Choose a level from the list" in odd.text
    assert 'value="Juniors" checked' in page


NEW = {**SESSION, "society": "eso", "title": "A single evening"}


def test_a_session_is_made_outside_any_series(db: DbSession, organiser: FlaskClient) -> None:
    make_society(db, "eso")
    make_society(db, "sakk")
    db.commit()

    page = organiser.get("/manage/sessions/new?day=2126-11-28").text
    answer = organiser.post("/manage/sessions/new", data=NEW, follow_redirects=True)

    made = db.scalars(select(WebinarSession)).one()
    assert 'value="2126-11-28"' in page
    assert "The draft is made." in answer.text
    assert (made.title, made.series_id, made.society.slug) == ("A single evening", None, "eso")
    assert (made.status, made.starts_at) == (SessionStatus.DRAFT, STARTS_AT)


def test_a_new_session_that_makes_no_sense_keeps_what_was_typed(
    db: DbSession, organiser: FlaskClient
) -> None:
    make_society(db, "eso")
    make_society(db, "sakk")
    db.commit()

    for change, sentence in (
        ({"society": "nobody"}, "Choose the society"),
        ({"day": ""}, "Give the day as a date"),
        ({"title": ""}, "Give the session a title."),
        ({"starts": "02:30", "day": "2127-03-30", "ends": "03:30"}, "does not exist"),
        ({"more_topics": "--"}, "cannot be a topic"),
    ):
        answer = organiser.post(
            "/manage/sessions/new", data={**NEW, "abstract": "Typed just now.", **change}
        )

        assert answer.status_code == 422
        assert sentence in answer.text
        assert "Typed just now." in answer.text
    assert db.scalars(select(WebinarSession)).all() == []


def test_without_a_society_the_page_says_what_to_do_first(organiser: FlaskClient) -> None:
    assert "A society first" in organiser.get("/manage/sessions/new").text


def evenings(db: DbSession, session: WebinarSession, number: int) -> list[WebinarSession]:
    """That many more weeks of its series, a Thursday each, announced with the same words."""
    made = []
    for week in range(1, number + 1):
        other = make_session(
            db, starts_at=STARTS_AT + timedelta(weeks=week), series=session.series, title=f"E{week}"
        )
        other.abstract, other.objectives = session.abstract, session.objectives
        make_faculty(db, other)
        made.append(other)
    db.commit()
    return made


def test_an_edit_of_this_and_later_sessions_is_listed_before_it_is_saved(
    db: DbSession, organiser: FlaskClient, published: WebinarSession
) -> None:
    first, second = evenings(db, published, 2)
    with_a_place(db, published)
    near = with_a_place(db, first)
    far = make_user(db, zone="America/New_York")
    make_registration(db, second, far)
    db.commit()
    path = f"/manage/sessions/{first.public_id}"
    form = {
        **SESSION,
        **opened(db, first),
        "title": "E1",
        "day": "2126-12-05",
        "starts": "17:00",
        "ends": "17:45",
        "scope": "later",
    }

    page = organiser.get(path).text
    asked = organiser.post(path, data=form)
    before = [again(db, session).starts_at for session in (published, first, second)]
    saved = organiser.post(path, data={**form, "confirmed": "y"}, follow_redirects=True)

    assert "This one and those after it: 2 sessions of" in page
    assert "All 3 sessions to come of" in page
    assert "2 people will be told by mail; 2 will see a new hour." in asked.text
    assert "2 sessions change." in asked.text
    assert "Thu 12 Dec 2126, 17:00–17:45 CET" in asked.text
    assert "Save and tell 2 people" in asked.text
    assert before == [STARTS_AT + timedelta(weeks=week) for week in range(3)]
    assert "2 sessions saved. 2 people are told by mail." in saved.text
    earlier = timedelta(hours=1, minutes=15)
    assert [again(db, session).starts_at for session in (published, first, second)] == [
        STARTS_AT,
        STARTS_AT + timedelta(weeks=1) - earlier,
        STARTS_AT + timedelta(weeks=2) - earlier,
    ]
    told = db.scalars(select(Delivery.user_id).where(Delivery.kind == "session_moved"))
    assert sorted(told) == sorted([near.id, far.id])


def test_words_put_on_all_sessions_tell_nobody_and_are_taken_back_together(
    db: DbSession, organiser: FlaskClient, published: WebinarSession
) -> None:
    (other,) = evenings(db, published, 1)
    with_a_place(db, other)
    path = f"/manage/sessions/{published.public_id}"
    form = {**SESSION, **opened(db, published), "language": "de", "scope": "all"}

    asked = organiser.post(path, data=form)
    saved = organiser.post(path, data={**form, "confirmed": "y"}, follow_redirects=True)
    languages = [again(db, session).language for session in (published, other)]
    change = db.scalars(select(SeasonChange)).one()
    db.commit()
    organiser.post(f"/manage/changes/{change.id}/undo")

    assert "Nobody is registered, so nobody is told." not in asked.text
    assert "Nobody is told: no hour changes." in asked.text
    assert "Save 2 sessions" in asked.text
    assert "2 sessions saved." in saved.text
    assert languages == ["de", "de"]
    assert [again(db, session).language for session in (published, other)] == ["en", "en"]


def test_from_the_confirmation_one_comes_back_to_the_form(
    db: DbSession, organiser: FlaskClient, published: WebinarSession
) -> None:
    typed = Typed.from_form({**SESSION, "title": "Half a ti"}, ())
    carried = {**opened(db, published), "mine": typed.as_json(), "scope": "one", "do": "form"}

    answer = organiser.post(f"/manage/sessions/{published.public_id}", data=carried)

    assert 'value="Half a ti"' in answer.text
    assert f'value="{published.revision}"' in answer.text
    assert again(db, published).title == SESSION["title"]


def test_other_line_ends_are_no_change_of_words(
    db: DbSession, organiser: FlaskClient, session: WebinarSession
) -> None:
    session.abstract = "One.\r\nTwo."
    db.commit()

    answer = organiser.post(
        f"/manage/sessions/{session.public_id}",
        data={**SESSION, "abstract": "One.\r\nTwo."},
        follow_redirects=True,
    )

    assert "Nothing was different" in answer.text
