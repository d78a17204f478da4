"""Whatever organisers do in whatever order: nobody is surprised, and nothing is lost.

A reader believes what they saw when they took their place and what they were mailed since. Every
notice has to say something new to its reader, and once all mails have left, what readers believe
is true. Meanwhile no session changes its identity, no place is lost, and no number falls.
"""

import os
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from sqlalchemy import func, select

from config import Config
from tests import sending
from tests.builders import NOW, make_ready, make_series, make_session, make_society, make_user
from webinar.db import DbSession
from webinar.domain.announcement import Standing
from webinar.domain.errors import DomainError
from webinar.domain.letter import Dropped, Letter, MailKind, Postponed
from webinar.domain.session import SessionStatus
from webinar.domain.session_details import SessionDetails
from webinar.domain.timezone import to_local
from webinar.models import Delivery, Registration, Series, User, WebinarSession
from webinar.services import (
    announcements,
    deliveries,
    registrations,
    season_changes,
    session_scope,
    sessions,
)
from webinar.services.feeds import CalendarTool
from webinar.services.session_copies import duplicate
from webinar.services.session_facts import details_of
from webinar.services.session_scope import Scope
from webinar.tools import calendar_tool

# Wall times in Zurich: the same hour in winter and in summer, and another hour of the same day.
SLOTS = (
    datetime(2026, 12, 10, 18, 15),
    datetime(2026, 12, 10, 19, 0),
    datetime(2027, 4, 8, 18, 15),
)
# The suite tries a few, always the same; EXAMPLES=500 in the environment looks for more.
EXAMPLES = int(os.environ.get("EXAMPLES", "8"))
IN_THE_SERIES = 2
PEOPLE = 3
MOST_SESSIONS = 5
SAYS_ITS_TIME = (*announcements.NOTICES, MailKind.REGISTRATION_CONFIRMED, MailKind.SESSION_REMINDER)

places_in = st.tuples(st.integers(0, MOST_SESSIONS - 1), st.integers(0, PEOPLE - 1))
a_session = st.tuples(st.integers(0, MOST_SESSIONS - 1))
ACTS = st.one_of(
    st.tuples(st.just("move"), st.tuples(st.integers(0, MOST_SESSIONS - 1), st.integers(0, 3))),
    st.tuples(
        st.sampled_from(["cancel", "restore", "publish", "unpublish", "discard", "edit"]),
        a_session,
    ),
    st.tuples(
        st.just("edit_many"),
        st.tuples(
            st.integers(0, MOST_SESSIONS - 1), st.integers(17, 19), st.sampled_from(list(Scope))
        ),
    ),
    st.tuples(st.just("undo"), st.tuples()),
    st.tuples(st.sampled_from(["register", "unregister"]), places_in),
    st.tuples(
        st.sampled_from(["register_for_series", "unregister_from_series"]),
        st.tuples(st.integers(0, PEOPLE - 1)),
    ),
    st.tuples(st.sampled_from(["create", "copy"]), st.tuples(st.integers(0, 2))),
    st.tuples(st.just("wait"), st.tuples(st.sampled_from([1, 3, 6]), st.booleans())),
)


@dataclass
class Desk:
    """The season, who reads of it, and what they believe."""

    db: DbSession
    calendar: CalendarTool
    series: Series
    people: list[User]
    now: datetime = NOW
    beliefs: dict[tuple[int, int], Standing] = field(default_factory=dict)
    """By session and person."""
    uids: dict[str, str] = field(default_factory=dict)
    numbers: dict[str, tuple[int, int]] = field(default_factory=dict)
    """Sequence and revision by public id."""

    def session(self, number: int) -> WebinarSession:
        found = self.db.scalars(select(WebinarSession).order_by(WebinarSession.id)).all()
        return found[number % len(found)]

    def move(self, number: int, slot: int) -> None:
        soon = to_local(self.now + timedelta(minutes=50), "Europe/Zurich").replace(
            tzinfo=None, second=0, microsecond=0
        )
        self.done(sessions.move, self.session(number).id, (*SLOTS, soon)[slot])

    def cancel(self, number: int) -> None:
        self.done(sessions.cancel, self.session(number).id, reason="The speaker is ill.")

    def restore(self, number: int) -> None:
        self.done(sessions.restore, self.session(number).id)

    def publish(self, number: int) -> None:
        self.done(sessions.publish, self.session(number).id)

    def unpublish(self, number: int) -> None:
        sessions.unpublish(self.db, self.session(number).id, actor_id=None, now=self.now)

    def discard(self, number: int) -> None:
        session = self.session(number)
        sessions.discard(self.db, session.id, reason="Congress", actor_id=None, now=self.now)

    def edit(self, number: int) -> None:
        session = self.session(number)
        details = replace(details_of(session), title=f"{session.title[:40]} once more")
        self.done(sessions.edit, session.id, details, seen_revision=session.revision)

    def edit_many(self, number: int, hour: int, scope: Scope) -> None:
        session = self.session(number)
        details = details_of(session)
        starts = details.starts.replace(hour=hour)
        ends = starts + (details.ends - details.starts)
        details = replace(details, starts=starts, ends=ends, language="de")
        self.done(session_scope.apply, session.id, details, scope)

    def undo(self) -> None:
        for change in season_changes.open_for(self.db, None, now=self.now)[:1]:
            self.done(season_changes.undo, change.id)

    def register(self, number: int, person: int) -> None:
        registrations.register(
            self.db, self.session(number).id, self.people[person].id, now=self.now
        )

    def unregister(self, number: int, person: int) -> None:
        registrations.unregister(
            self.db, self.session(number).id, self.people[person].id, now=self.now
        )

    def register_for_series(self, person: int) -> None:
        registrations.register_for_series(
            self.db, self.series.id, self.people[person].id, now=self.now
        )

    def unregister_from_series(self, person: int) -> None:
        registrations.unregister_from_series(
            self.db, self.series.id, self.people[person].id, now=self.now
        )

    def create(self, slot: int) -> None:
        if self.is_full():
            return
        details = SessionDetails(
            title="Of its own",
            starts=SLOTS[slot],
            ends=SLOTS[slot] + timedelta(minutes=45),
            zone="Europe/Zurich",
        )
        society_id = self.series.society_id
        self.done(sessions.create, details, society_id=society_id)

    def copy(self, slot: int) -> None:
        if not self.is_full():
            self.done(duplicate, self.session(slot).id, starts=SLOTS[slot])

    def wait(self, minutes: int, reaches_the_mail_server: bool) -> None:
        self.now += timedelta(minutes=minutes)
        self.send(reaches_the_mail_server=reaches_the_mail_server)

    def send(self, *, reaches_the_mail_server: bool = True) -> None:
        for delivery_id in deliveries.due(self.db, now=self.now, limit=500):
            delivery = sending.claim(self.db, delivery_id, now=self.now)
            assert delivery is not None
            outcome = sending.letter_for(self.db, delivery, now=self.now)
            if isinstance(outcome, Dropped):
                deliveries.mark_dropped(self.db, delivery, because=outcome.because)
            elif isinstance(outcome, Postponed):
                deliveries.mark_postponed(self.db, delivery, until=outcome.until)
            elif not reaches_the_mail_server:
                deliveries.mark_failed(self.db, delivery, error="451 later", now=self.now)
            else:
                sending.mark_sent(self.db, delivery, now=self.now)
                self.read(delivery, outcome)
            self.db.expire_all()

    def read(self, delivery: Delivery, letter: Letter) -> None:
        """The reader opens the mail."""
        if letter.kind not in SAYS_ITS_TIME or letter.session is None:
            return
        said = Standing(
            letter.kind is not MailKind.SESSION_CANCELLED,
            letter.session.starts_at,
            letter.session.ends_at,
        )
        place = delivery.subject_id, delivery.user_id
        believed = self.beliefs[place]
        if letter.kind not in announcements.NOTICES:
            assert said == believed, "a mail that is no notice must not bring news"
            return
        assert said != believed, "a notice says something new"
        if letter.kind is MailKind.SESSION_CANCELLED:
            assert (said.starts_at, said.ends_at) == (believed.starts_at, believed.ends_at)
            assert letter.session.cancellation_reason == "The speaker is ill."
        elif said.starts_at != believed.starts_at:
            assert letter.session.moved_from == believed.starts_at
        assert believed.takes_place is (letter.kind is not MailKind.SESSION_RESTORED)
        self.beliefs[place] = said

    def done(self, verb: Callable[..., object], *said: object, **more: object) -> None:
        verb(self.db, *said, **more, actor_id=None, calendar=self.calendar, now=self.now)

    def is_full(self) -> bool:
        found = self.db.scalar(select(func.count()).select_from(WebinarSession)) or 0
        return found >= MOST_SESSIONS

    def places(self) -> set[tuple[int, int]]:
        found = self.db.execute(
            select(Registration.session_id, Registration.user_id).where(
                Registration.cancelled_at.is_(None)
            )
        )
        return {(session_id, user_id) for session_id, user_id in found}

    def act(self, name: str, values: tuple[object, ...]) -> None:
        """Do it, or be refused and change nothing; then look whether all that holds still does."""
        before = self.places()
        try:
            with self.db.begin_nested():
                getattr(self, name)(*values)
        except DomainError:
            self.db.expire_all()
        after = self.places()
        if not name.startswith("unregister"):
            assert before <= after, "a place is lost"
        for session_id, user_id in after - before:
            # Whoever takes a place sees the session as it is now.
            session = self.db.get_one(WebinarSession, session_id)
            self.beliefs[session_id, user_id] = announcements.standing_of(session)
        self.look()

    def look(self) -> None:
        for session in self.db.scalars(select(WebinarSession)):
            name = session.public_id
            assert session.ical_uid == self.uids.setdefault(name, session.ical_uid)
            sequence, revision = self.numbers.get(name, (0, 0))
            assert session.ical_sequence >= sequence
            assert session.revision >= revision
            self.numbers[name] = session.ical_sequence, session.revision

    def settle(self) -> None:
        """Let every mail leave; then what readers believe is what is."""
        for _ in range(12):
            self.now += timedelta(minutes=10)
            self.send()
        for session_id, user_id in self.places():
            session = self.db.get_one(WebinarSession, session_id)
            stands, believed = (
                announcements.standing_of(session),
                self.beliefs[session_id, user_id],
            )
            if session.status is SessionStatus.DRAFT or session.ends_at <= self.now:
                continue
            assert believed.takes_place is stands.takes_place
            if stands.takes_place:
                assert believed == stands


def opened(db: DbSession, calendar: CalendarTool) -> Desk:
    """Two announced sessions of a series, and three people in three zones."""
    series = make_series(db, society=make_society(db))
    zones = ("Europe/Zurich", "America/New_York", "Asia/Tokyo")
    people = [make_user(db, zone=zone) for zone in zones[:PEOPLE]]
    desk = Desk(db, calendar, series, people)
    for number in range(IN_THE_SERIES):
        starts_at = datetime(2026, 12, 3 + 7 * number, 17, 15, tzinfo=UTC)
        draft = make_session(db, starts_at=starts_at, status=SessionStatus.DRAFT, series=series)
        draft.planned_day = starts_at.date()
        make_ready(db, draft)
        desk.act("publish", (number,))
    desk.act("register", (0, 0))
    return desk


@given(acts=st.lists(ACTS, min_size=4, max_size=14))
@settings(
    max_examples=EXAMPLES,
    derandomize="EXAMPLES" not in os.environ,
    deadline=None,
    # A sequence is short enough to be read; making it shorter takes minutes.
    phases=[Phase.generate],
    database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
def test_nobody_is_surprised_and_nothing_is_lost(
    config: Config, db: DbSession, acts: list[tuple[str, tuple[object, ...]]]
) -> None:
    desk = opened(db, calendar_tool(config))
    try:
        for name, values in acts:
            desk.act(name, values)
        desk.settle()
    finally:
        db.rollback()
