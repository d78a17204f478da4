"""An evening with a thousand reminders, people who register, and processes that die."""

import http.client
import random
import threading
import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from flask import Flask
from sqlalchemy import func, select

from tests.builders import make_registration, make_session, make_user
from tests.crash.processes import Crew
from tests.crash.sink import WatchfulSink
from webinar.db import open_db, read_db
from webinar.domain.letter import MailKind
from webinar.models import Delivery, Registration
from webinar.services import deliveries

PATIENCE_SECONDS = 480  # of a machine that has other things to do
LEAST_DONE = 15  # mails, between one kill and the next
CONFIRMED = MailKind.REGISTRATION_CONFIRMED
REMINDED = MailKind.SESSION_REMINDER


@dataclass
class Evening:
    """What was owed when it began."""

    due: dict[str, float]  # seconds since 1970, by address
    session_id: int
    session_public_id: str
    cookies: list[str]
    answers: list[int] = field(default_factory=list)


def prepare(app: Flask, *, reminders: int, visitors: int, seconds: float) -> Evening:
    """Reminders due one after the other over so many seconds, and people who will register."""
    begins = datetime.now(UTC) + timedelta(seconds=2)
    due: dict[str, float] = {}
    with open_db.begin() as db:
        soon = make_session(db, starts_at=begins + timedelta(minutes=55))
        later = make_session(db, starts_at=begins + timedelta(minutes=50))
        for number in range(reminders):
            person = make_user(db, f"reader{number}@example.net")
            make_registration(db, soon, person)
            due_at = begins + timedelta(seconds=seconds * number / reminders)
            deliveries.queue(
                db, REMINDED, user_id=person.id, subject_id=soon.id, due_at=due_at, now=begins
            )
            due[person.email] = due_at.timestamp()
        people = [make_user(db, f"visitor{number}@example.net") for number in range(visitors)]
    return Evening(due, later.id, later.public_id, [_cookie(app, user.get_id()) for user in people])


def run(
    crew: Crew, evening: Evening, sink: WatchfulSink, *, rounds: int, pause: float, seed: int
) -> None:
    """Kill every process once a round, in an order nobody foresees, while people register."""
    chance = random.Random(seed)  # noqa: S311 -- which process dies is no secret
    visitors = threading.Thread(target=_register_all, args=(crew.port, evening), daemon=True)
    crew.start()
    visitors.start()
    _wait(lambda: len(sink.accepted) > 20, crew)
    for _ in range(rounds):
        roles = list(crew.roles)
        chance.shuffle(roles)
        for role in roles:
            # Who is killed before it could do anything leaves nothing to be lost.
            before = len(sink.accepted)
            _wait(lambda so_far=before: _went_on(sink, so_far), crew)
            time.sleep(chance.uniform(0, 2) * pause)
            crew.kill(role)
    visitors.join(PATIENCE_SECONDS)
    _wait(lambda: not unsent(), crew)


def _went_on(sink: WatchfulSink, so_far: int) -> bool:
    return len(sink.accepted) >= so_far + LEAST_DONE or not unsent()


def unsent() -> int:
    """Mails that are still owed."""
    with read_db() as db:
        return db.scalar(select(func.count(Delivery.id)).where(Delivery.due_at.is_not(None))) or 0


def registered(evening: Evening) -> list[int]:
    """People who have a place in the session that people registered for."""
    with read_db() as db:
        return list(
            db.scalars(
                select(Registration.user_id)
                .where(Registration.session_id == evening.session_id)
                .order_by(Registration.user_id)
            )
        )


def confirmed(evening: Evening) -> list[int]:
    """People who were owed a confirmation, and to whom it went out."""
    with read_db() as db:
        return list(
            db.scalars(
                select(Delivery.user_id)
                .where(
                    Delivery.kind == CONFIRMED,
                    Delivery.subject_id == evening.session_id,
                    Delivery.sent_at.is_not(None),
                )
                .order_by(Delivery.user_id)
            )
        )


def _register_all(port: int, evening: Evening) -> None:
    """Each once: whoever gets no answer does not know whether there is a place, as in life."""
    for cookie in evening.cookies:
        evening.answers.append(_register(port, evening.session_public_id, cookie))
        time.sleep(0.05)


def _register(port: int, public_id: str, cookie: str) -> int:
    path = f"/sessions/{public_id}/register"
    end = time.monotonic() + 10
    while time.monotonic() < end:
        with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=20)) as connection:
            try:
                connection.request("POST", path, headers={"Cookie": f"webinar={cookie}"})
            except OSError:
                time.sleep(0.05)  # nobody listens yet
                continue
            try:
                return connection.getresponse().status
            except (OSError, http.client.HTTPException):
                return 0
    return 0


def _cookie(app: Flask, user_id: str) -> str:
    client = app.test_client()
    with client.session_transaction() as cookie:
        cookie["_user_id"] = user_id
        cookie["_fresh"] = True
    found = client.get_cookie("webinar")
    assert found is not None
    return found.value


def _wait(until: Callable[[], bool], crew: Crew, *, seconds: float = PATIENCE_SECONDS) -> None:
    end = time.monotonic() + seconds
    while not until():
        assert time.monotonic() < end, crew.logs()
        time.sleep(0.1)
