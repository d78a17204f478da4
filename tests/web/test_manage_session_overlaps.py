"""What stands on a session's page of others at the same time."""

from collections.abc import Callable

from flask.testing import FlaskClient

from tests.builders import make_session, make_society, make_user
from tests.web.managing import STARTS_AT
from webinar.db import DbSession
from webinar.domain.access import Role
from webinar.domain.session import SessionStatus
from webinar.models import User, UserRole


def test_only_what_is_announced_is_named_to_an_organiser_of_another_society(
    db: DbSession, signed_in_as: Callable[[User], FlaskClient]
) -> None:
    ours, theirs = make_society(db, "ours"), make_society(db, "theirs")
    draft, published = SessionStatus.DRAFT, SessionStatus.PUBLISHED
    for society, public_id, title, status in (
        (ours, "mine", "Mine", draft),
        (ours, "beside", "Our other draft", draft),
        (theirs, "secret", "Their secret draft", draft),
        (theirs, "known", "Their announced evening", published),
    ):
        session = make_session(db, starts_at=STARTS_AT, status=status, society=society)
        session.public_id, session.title = public_id, title
    user = make_user(db)
    user.grants.append(UserRole(role=Role.ORGANISER, society_id=ours.id))
    db.commit()

    page = signed_in_as(user).get("/manage/sessions/mine").text

    assert '<a href="/manage/sessions/beside">Our other draft</a>' in page
    assert "<span>A session of another society</span>" in page
    assert '<a href="/sessions/known">Their announced evening</a>' in page
    assert "Their secret draft" not in page
