"""Who sends, who takes over, the break card: agreed among the faculty, not by accident."""

from datetime import timedelta

import pytest

from tests.builders import STARTS_AT, make_faculty, make_session, make_user
from webinar.db import DbSession
from webinar.domain.errors import NotAllowed
from webinar.domain.session import FacultyPart
from webinar.domain.streaming import Source
from webinar.models import Broadcast, User, WebinarSession
from webinar.services import broadcasts, studio_desk

PRESENTER, MODERATOR = "0123456789ab-1", "ba9876543210-1"


@pytest.fixture
def presenter(db: DbSession) -> User:
    return make_user(db, name="Prof Elena Marchetti")


@pytest.fixture
def moderator(db: DbSession) -> User:
    return make_user(db, name="Dr Jonas Weber")


@pytest.fixture
def session(db: DbSession, presenter: User, moderator: User) -> WebinarSession:
    session = make_session(db)
    make_faculty(db, session, FacultyPart.PRESENTER, user=presenter)
    make_faculty(db, session, FacultyPart.MODERATOR, user=moderator)
    return session


@pytest.fixture
def broadcast(db: DbSession, session: WebinarSession, presenter: User) -> Broadcast:
    return broadcasts.go_live(db, session.id, user_id=presenter.id, now=STARTS_AT)


def test_asking_again_for_a_take_opens_no_second(
    db: DbSession, broadcast: Broadcast, presenter: User
) -> None:
    first = broadcasts.open_take(
        db, broadcast.id, user_id=presenter.id, client_key=PRESENTER, now=STARTS_AT
    )
    next_one = broadcasts.open_take(
        db, broadcast.id, user_id=presenter.id, client_key="0123456789ab-2", now=STARTS_AT
    )
    again = broadcasts.open_take(
        db, broadcast.id, user_id=presenter.id, client_key=PRESENTER, now=STARTS_AT
    )

    assert again.id == first.id
    assert next_one.number == 1
    assert again.closed_at == STARTS_AT


def test_a_second_presenter_is_told_who_sends_and_must_mean_it(
    db: DbSession, broadcast: Broadcast, presenter: User, moderator: User
) -> None:
    broadcasts.open_take(
        db, broadcast.id, user_id=presenter.id, client_key=PRESENTER, now=STARTS_AT
    )
    soon = STARTS_AT + timedelta(seconds=4)

    with pytest.raises(broadcasts.SomebodySends, match=r"^The presenter is sending right now\."):
        broadcasts.open_take(db, broadcast.id, user_id=moderator.id, client_key=MODERATOR, now=soon)
    taken = broadcasts.open_take(
        db, broadcast.id, user_id=moderator.id, client_key=MODERATOR, take_over=True, now=soon
    )

    assert (taken.number, taken.opened_by_id) == (1, moderator.id)


@pytest.mark.parametrize(
    ("key", "source", "who"),
    [
        ("ffffffffffff-1", Source.BROWSER, "Another studio of yours"),
        (None, Source.SRT, "OBS"),
    ],
)
def test_ones_own_second_window_or_program_is_somebody_else_too(
    db: DbSession, broadcast: Broadcast, presenter: User, key: str | None, source: Source, who: str
) -> None:
    broadcasts.open_take(
        db, broadcast.id, user_id=presenter.id, client_key=key, source=source, now=STARTS_AT
    )

    with pytest.raises(broadcasts.SomebodySends, match=f"^{who} is sending"):
        broadcasts.open_take(
            db, broadcast.id, user_id=presenter.id, client_key=PRESENTER, now=STARTS_AT
        )


def test_after_silence_anybody_of_the_faculty_goes_on(
    db: DbSession, broadcast: Broadcast, presenter: User, moderator: User
) -> None:
    broadcasts.open_take(
        db, broadcast.id, user_id=presenter.id, client_key=PRESENTER, now=STARTS_AT
    )
    later = STARTS_AT + timedelta(seconds=6)

    silent = broadcasts.sending_take(db, broadcast.id, now=later)
    taken = broadcasts.open_take(
        db, broadcast.id, user_id=moderator.id, client_key=MODERATOR, now=later
    )

    assert silent is None
    assert taken.number == 1


def test_who_was_asked_to_go_on_takes_over_without_a_second_question(
    db: DbSession,
    session: WebinarSession,
    broadcast: Broadcast,
    presenter: User,
    moderator: User,
) -> None:
    broadcasts.open_take(
        db, broadcast.id, user_id=presenter.id, client_key=PRESENTER, now=STARTS_AT
    )

    studio_desk.hand_over(db, session.id, to_id=moderator.id, user_id=presenter.id, now=STARTS_AT)
    asked = broadcast.handed_to_id
    broadcasts.open_take(
        db, broadcast.id, user_id=moderator.id, client_key=MODERATOR, now=STARTS_AT
    )

    assert asked == moderator.id
    assert (broadcast.handed_to_id, broadcast.handed_at) == (None, None)


def test_nobody_is_handed_to_who_is_not_of_the_faculty(
    db: DbSession, session: WebinarSession, broadcast: Broadcast, presenter: User
) -> None:
    stranger = make_user(db)

    for to_id in (stranger.id, presenter.id, 999_999):
        with pytest.raises(NotAllowed):
            studio_desk.hand_over(db, session.id, to_id=to_id, user_id=presenter.id, now=STARTS_AT)

    assert broadcast.handed_to_id is None
    assert [c.name for c in studio_desk.colleagues(db, session, but=presenter.id)] == [
        session.faculty[1].name
    ]


def test_the_break_card_lies_there_from_its_first_press_on(
    db: DbSession, session: WebinarSession, broadcast: Broadcast, presenter: User
) -> None:
    studio_desk.set_break(db, session.id, on=True, user_id=presenter.id, now=STARTS_AT)
    later = STARTS_AT + timedelta(minutes=1)
    again = studio_desk.set_break(db, session.id, on=True, user_id=presenter.id, now=later)
    since = again.break_since
    over = studio_desk.set_break(db, session.id, on=False, user_id=presenter.id, now=later)

    assert since == STARTS_AT
    assert over.break_since is None


def test_there_is_no_break_where_nothing_is_on_air(
    db: DbSession, session: WebinarSession, broadcast: Broadcast, presenter: User
) -> None:
    broadcasts.stop(db, session.id, user_id=presenter.id, now=STARTS_AT)

    with pytest.raises(broadcasts.NotOnAir):
        studio_desk.set_break(db, session.id, on=True, user_id=presenter.id, now=STARTS_AT)
