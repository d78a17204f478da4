"""One draft as its organiser types it and as it is stored. Its day lies in years to come."""

from datetime import UTC, datetime

from tests.builders import make_faculty, make_registration, make_series, make_session, make_user
from webinar.db import DbSession
from webinar.domain.session import SessionStatus
from webinar.models import User, WebinarSession

STARTS_AT = datetime(2126, 11, 28, 17, 15, tzinfo=UTC)  # a Thursday

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
    "faculty-0-disclosure": "Nothing to disclose.",
    "faculty-0-email": "",
}


def make_draft_that_says_it(db: DbSession) -> WebinarSession:
    """A draft of the series "rounds" that says what SESSION says."""
    session = make_session(
        db, starts_at=STARTS_AT, status=SessionStatus.DRAFT, series=make_series(db, "rounds")
    )
    session.abstract, session.objectives = SESSION["abstract"], SESSION["objectives"]
    make_faculty(db, session)
    db.commit()
    return session


def again(db: DbSession, session: WebinarSession) -> WebinarSession:
    """The session as a page has stored it since."""
    db.refresh(session)
    db.commit()
    return session


def with_a_place(db: DbSession, session: WebinarSession) -> User:
    """Somebody who is registered for it."""
    user = make_user(db)
    make_registration(db, session, user)
    db.commit()
    return user
