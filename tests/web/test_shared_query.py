"""Many ask at once with one statement: each gets what he would have got alone, or hears why not."""

import os
import random
import secrets
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import timedelta
from threading import Event

import pytest
from sqlalchemy import Engine, create_engine, text

from tests.builders import NOW, make_faculty, make_registration, make_user
from tests.components.servers import free_port
from tests.evidence import make_ended_session, make_recording
from webinar.db import DbSession
from webinar.domain.access import Role
from webinar.domain.recording import RecordingState
from webinar.models import Recording, User, UserRole, WindowExtension
from webinar.services import media_access
from webinar.web import shared_query
from webinar.web.direct_query import DatabaseAway, DirectQuery
from webinar.web.shared_query import SharedQuery

ON_POSTGRESQL = pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
Values = Mapping[str, object]
Rows = Sequence[Sequence[object]]


@pytest.fixture
def engine(db: DbSession) -> Engine:
    return db.get_bind().engine


@pytest.fixture
def many(engine: Engine) -> Iterator[DirectQuery]:
    many = DirectQuery(engine, media_access.questions())
    yield many
    many._close(engine)


def make_people(db: DbSession, count: int) -> list[User]:
    """Each is told from the others by the generation of his sign-ins."""
    people = [make_user(db) for _ in range(count)]
    for number, person in enumerate(people, start=1):
        person.sign_in_generation = number
    db.commit()
    return people


def asking(person: User | None, recording: Recording | None) -> Values:
    return {
        "user_id": 0 if person is None else person.id,
        "public_id": "nothing-here" if recording is None else recording.public_id,
    }


@dataclass
class HeldUp:
    """Answers each number with itself; the first asking waits, and may then end in a failure."""

    failure: BaseException | None = None
    held: Event = field(default_factory=Event)
    go_on: Event = field(default_factory=Event)
    asked: list[list[object]] = field(default_factory=list)

    def rows(self, values: Values) -> Rows:
        numbers = values["number"]
        assert isinstance(numbers, list)
        self.asked.append(numbers)
        if len(self.asked) == 1:
            self.held.set()
            assert self.go_on.wait(20)
            if self.failure is not None:
                raise self.failure
        return [(place, number) for place, number in enumerate(numbers, start=1)]


def wait_for(query: SharedQuery, count: int) -> None:
    """Until so many stand in line; they come within moments."""
    for _ in range(2000):
        if len(query._waiting) == count:
            return
        Event().wait(0.01)
    raise AssertionError(f"{len(query._waiting)} wait, not {count}")


@ON_POSTGRESQL
def test_the_statement_for_many_answers_each_question_as_the_one_for_one_does(
    db: DbSession, engine: Engine, many: DirectQuery
) -> None:
    chance = random.Random(16)  # noqa: S311
    people: list[User | None] = [*make_people(db, 12), make_user(db, verified=False), None]
    recordings: list[Recording | None] = [None]
    for state in RecordingState:
        session = make_ended_session(db)
        recording = make_recording(db, session, closes_at=NOW + timedelta(days=3))
        recording.state = state
        if chance.random() < 0.4:
            session.actual_started_at = recording.opens_at = recording.closes_at = None
        recordings.append(recording)
        for person in people:
            if person is None:
                continue
            if chance.random() < 0.3:
                place = make_registration(db, session, person)
                place.cancelled_at = chance.choice((None, NOW))
            if chance.random() < 0.2:
                make_faculty(db, session, user=person)
            if chance.random() < 0.2:
                role = chance.choice(list(Role))
                society = chance.choice((None, session.society_id))
                db.add(UserRole(user_id=person.id, role=role, society_id=society))
            for days in range(chance.choice((0, 0, 1, 2))):
                later = NOW + timedelta(days=4 + days)
                db.add(
                    WindowExtension(
                        recording_id=recording.id,
                        user_id=person.id,
                        closes_at=later,
                        reason="Ill that week.",
                        granted_by_id=person.id,
                        granted_at=NOW,
                    )
                )
    db.commit()
    questions = [asking(person, recording) for person in people for recording in recordings]
    chance.shuffle(questions)
    one = DirectQuery(engine, media_access.question())

    alone = [one.one(values) for values in questions]
    together: list[Sequence[object] | None] = [None] * len(questions)
    arrays = {name: [values[name] for values in questions] for name in questions[0]}
    for number, *row in many.rows(arrays):
        together[int(str(number)) - 1] = tuple(row)

    assert together == alone
    assert len({row for row in alone if row is not None}) > 50
    assert None in alone
    one._close(engine)


@ON_POSTGRESQL
def test_each_of_many_threads_gets_its_own_row(db: DbSession, many: DirectQuery) -> None:
    people = make_people(db, 20)
    recording = make_recording(db, make_ended_session(db), closes_at=NOW)
    db.commit()
    askings = [(person.sign_in_generation, asking(person, recording)) for person in people]
    query = SharedQuery(many)

    def ask(expected: int, values: Values) -> list[object]:
        rows = [query.one(values) for _ in range(25)]
        return [None if row is None else row[0] for row in rows]

    with ThreadPoolExecutor(len(people)) as pool:
        found = list(pool.map(lambda pair: ask(*pair), askings))

    assert found == [[generation] * 25 for generation, _ in askings]


@ON_POSTGRESQL
def test_what_was_committed_before_somebody_asks_is_in_his_answer(
    db: DbSession, many: DirectQuery
) -> None:
    (person, *others) = make_people(db, 8)
    query = SharedQuery(many)
    values = asking(person, None)
    noise = [asking(other, None) for other in others]
    is_over = Event()

    def keep_asking(own: Values) -> None:
        while not is_over.is_set():
            query.one(own)

    found = []
    with ThreadPoolExecutor(len(noise)) as pool:
        for own in noise:
            pool.submit(keep_asking, own)
        try:
            for generation in range(100, 130):
                person.sign_in_generation = generation
                db.commit()
                row = query.one(values)
                found.append(None if row is None else row[0])
        finally:
            is_over.set()

    assert found == list(range(100, 130))


@ON_POSTGRESQL
def test_connections_that_a_restart_ended_are_made_anew(
    db: DbSession, engine: Engine, many: DirectQuery
) -> None:
    (person,) = make_people(db, 1)
    query = SharedQuery(many)
    before = query.one(asking(person, None))
    db.rollback()

    with engine.connect() as connection:
        connection.execute(
            text(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE datname = current_database() AND pid <> pg_backend_pid()"
                " AND application_name <> 'the tests themselves'"
            )
        )

    assert query.one(asking(person, None)) == before


def test_a_database_that_is_away_is_away_for_each_who_asks() -> None:
    url = f"postgresql+psycopg://nobody:{secrets.token_hex(4)}@127.0.0.1:{free_port()}/none"
    query = SharedQuery(DirectQuery(create_engine(url), media_access.questions()))

    def ask(number: int) -> str:
        try:
            query.one({"user_id": number, "public_id": "abc"})
        except DatabaseAway:
            return "away"
        return "answered"

    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(ask, range(24)))

    assert found == ["away"] * 24
    assert not query._is_led


def test_who_comes_while_others_ask_shares_the_next_statement_up_to_a_bound() -> None:
    many = HeldUp()
    query = SharedQuery(many)
    count = shared_query.MOST_TOGETHER + 6

    with ThreadPoolExecutor(count + 1) as pool:
        first = pool.submit(query.one, {"number": 0})
        assert many.held.wait(20)
        others = [pool.submit(query.one, {"number": each}) for each in range(1, count + 1)]
        wait_for(query, count)
        many.go_on.set()
        found = [each.result(timeout=20) for each in (first, *others)]

    assert found == [[number] for number in range(count + 1)]
    assert [len(numbers) for numbers in many.asked] == [1, shared_query.MOST_TOGETHER, 6]


def test_a_leader_who_dies_leaves_nobody_waiting() -> None:
    many = HeldUp(failure=KeyboardInterrupt())
    query = SharedQuery(many)

    with ThreadPoolExecutor(4) as pool:
        leader = pool.submit(query.one, {"number": 0})
        assert many.held.wait(20)
        others = [pool.submit(query.one, {"number": each}) for each in (1, 2, 3)]
        wait_for(query, 3)
        many.go_on.set()
        found = [each.result(timeout=20) for each in others]

    assert isinstance(leader.exception(), KeyboardInterrupt)
    assert found == [[1], [2], [3]]
    assert query.one({"number": 4}) == [4]


def test_who_waited_too_long_is_told_so_and_never_made_leader(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(shared_query, "LONGEST_WAIT_SECONDS", 0.05)
    many = HeldUp()
    query = SharedQuery(many)

    with ThreadPoolExecutor(1) as pool:
        leader = pool.submit(query.one, {"number": 0})
        assert many.held.wait(20)
        with pytest.raises(DatabaseAway):
            query.one({"number": 1})
        many.go_on.set()
        assert leader.result(timeout=20) == [0]

    assert query.one({"number": 2}) == [2]
    assert many.asked == [[0], [2]]


def test_a_fork_waits_for_nobody_of_its_parent() -> None:
    many = HeldUp()
    query = SharedQuery(many)

    with ThreadPoolExecutor(1) as pool:
        leader = pool.submit(query.one, {"number": 0})
        assert many.held.wait(20)
        child = os.fork()
        if child == 0:
            code = 1
            try:
                code = 0 if query.one({"number": 7}) == [7] else 1
            finally:
                os._exit(code)
        _, status = os.waitpid(child, 0)
        many.go_on.set()
        leader.result(timeout=20)

    assert os.waitstatus_to_exitcode(status) == 0
