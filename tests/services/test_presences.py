"""Who was there: on our page, in a room of others, or by a report of one."""

from tests.builders import make_user
from tests.evidence import make_attendee, make_ended_session
from tests.services.evidence.test_grounds import import_visit, visit_room
from webinar.db import DbSession
from webinar.domain.review import MatchedBy
from webinar.services import presences


def test_who_played_something_has_been_there(db: DbSession) -> None:
    session = make_ended_session(db)
    user, other = make_attendee(db, session), make_user(db)

    assert presences.has_seen(db, session.id, user.id) is True
    assert presences.has_seen(db, session.id, other.id) is False


def test_who_visited_a_room_of_others_has_been_there(db: DbSession) -> None:
    session = make_ended_session(db)
    in_room, in_report, dismissed = make_user(db), make_user(db), make_user(db)
    visit_room(db, session, in_room, 0, 600)
    import_visit(db, session, in_report, 0, 600)
    import_visit(db, session, dismissed, 0, 600, matched_by=MatchedBy.DISMISSED)

    seen = [presences.has_seen(db, session.id, user.id) for user in (in_room, in_report, dismissed)]

    assert seen == [True, True, False]


def test_of_a_visit_to_another_session_nothing_follows(db: DbSession) -> None:
    session, other = make_ended_session(db), make_ended_session(db)
    user = make_user(db)
    visit_room(db, other, user, 0, 600)

    assert presences.has_seen(db, session.id, user.id) is False
