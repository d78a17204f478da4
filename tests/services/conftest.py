"""What verbs need from outside, and a session that people know of."""

import pytest

from config import Config
from tests.builders import NOW, make_ready, make_session
from webinar.db import DbSession
from webinar.domain.session import SessionStatus
from webinar.models import WebinarSession
from webinar.services import sessions
from webinar.services.feeds import CalendarTool
from webinar.tools import calendar_tool


@pytest.fixture
def calendar(config: Config) -> CalendarTool:
    return calendar_tool(config)


@pytest.fixture
def announced(db: DbSession, calendar: CalendarTool) -> WebinarSession:
    session = make_ready(db, make_session(db, status=SessionStatus.DRAFT))
    return sessions.publish(db, session.id, actor_id=None, calendar=calendar, now=NOW)
