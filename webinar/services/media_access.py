"""Whether a person may have the bytes of a recording, from one question to the database.

What pages ask with several (webinar.services.recordings.access), players ask many times a second:
so everything that decides is one row here. The rules are the same; a test compares the two.
"""

from collections.abc import Sequence
from datetime import UTC, datetime
from functools import cache

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Select,
    SelectBase,
    Text,
    and_,
    bindparam,
    func,
    or_,
    select,
    true,
)
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import aliased

from webinar.domain.access import ALLOWED, Action
from webinar.domain.media_gate import MediaFacts
from webinar.domain.recording import RecordingState
from webinar.models import (
    FacultyMember,
    Recording,
    Registration,
    User,
    UserRole,
    WebinarSession,
    WindowExtension,
)


@cache
def question() -> SelectBase:
    """The statement; its parameters are `user_id` and `public_id`. No row: no such person."""
    return _facts(bindparam("user_id", 0), bindparam("public_id", ""))


@cache
def questions() -> SelectBase:
    """For PostgreSQL: the same of many at once, the parameters being arrays of the same length.

    Each row begins with the place of its question in the arrays, from 1.
    """
    asked = func.unnest(
        bindparam("user_id", [], type_=ARRAY(BigInteger)),
        bindparam("public_id", [], type_=ARRAY(Text)),
    ).table_valued("user_id", "public_id", with_ordinality="number")
    asked = asked.render_derived(name="asked")
    facts = _facts(asked.c.user_id, asked.c.public_id).lateral("facts")
    return select(asked.c.number, facts).select_from(asked).join(facts, true())


def _facts(
    user_id: ColumnElement[int], public_id: ColumnElement[str]
) -> Select[*tuple[object, ...]]:
    session = aliased(WebinarSession)
    place = select(Registration.id).where(
        Registration.session_id == session.id,
        Registration.user_id == User.id,
        Registration.cancelled_at.is_(None),
    )
    part = select(FacultyMember.id).where(
        FacultyMember.session_id == session.id, FacultyMember.user_id == User.id
    )
    duty = select(UserRole.id).where(
        UserRole.user_id == User.id,
        UserRole.role.in_(sorted(ALLOWED[Action.PUBLISH_RECORDINGS])),
        or_(UserRole.society_id.is_(None), UserRole.society_id == session.society_id),
    )
    extension = select(func.max(WindowExtension.closes_at)).where(
        WindowExtension.recording_id == Recording.id, WindowExtension.user_id == User.id
    )
    return (
        select(
            User.sign_in_generation,
            Recording.id,
            Recording.state,
            Recording.opens_at,
            Recording.closes_at,
            session.zone,
            session.actual_started_at.is_not(None),
            extension.scalar_subquery(),
            or_(place.exists(), part.exists(), duty.exists()),
            duty.exists(),
        )
        .select_from(User)
        .outerjoin(Recording, Recording.public_id == public_id)
        .outerjoin(session, session.id == Recording.session_id)
        .where(
            User.id == user_id,
            and_(User.verified_at.is_not(None), User.erased_at.is_(None)),
        )
    )


def facts_in(row: Sequence[object]) -> MediaFacts:
    """A row of the statement as the driver returns it, be it SQLite's or PostgreSQL's."""
    generation, number, state, opens_at, closes_at, zone, was_live, extension, place, duty = row
    return MediaFacts(
        sign_in_generation=int(str(generation)),
        recording_id=None if number is None else int(str(number)),
        state=None if state is None else RecordingState(str(state)),
        opens_at=_instant(opens_at),
        closes_at=_instant(closes_at),
        zone=None if zone is None else str(zone),
        was_live=bool(was_live),
        extension=_instant(extension),
        has_place=bool(place),
        may_publish=bool(duty),
    )


def _instant(value: object) -> datetime | None:
    """SQLite returns the text it stores, PostgreSQL a time without zone; both mean UTC."""
    if value is None:
        return None
    naive = value if isinstance(value, datetime) else datetime.fromisoformat(str(value))
    return naive.replace(tzinfo=UTC)
