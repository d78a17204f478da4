"""Redis counts who tries too often; without Redis every page goes on and each process counts."""

import os
import signal
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest
import redis
from flask import Flask

from config import Config
from tests.components.redis import RedisServer
from tests.patience import wait_for
from webinar import web
from webinar.app import create_app
from webinar.services import passwords
from webinar.web.guards import limiter

ONE_DATABASE = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
# Flask-Limiter looks for a Redis that went after 1, 2, 4 ... and 32 seconds.
UNTIL_LOOKED_FOR_SECONDS = 150
WRONG = {"email": "somebody@example.net", "password": "wrong"}


@pytest.fixture(autouse=True)
def limiter_afresh() -> Iterator[None]:
    """The limiter is one for the process: what other tests met, and when, is forgotten."""

    def forget() -> None:
        limiter._storage_dead = False
        limiter._Limiter__check_backend_count = 0
        limiter._Limiter__last_check_backend = 0

    forget()
    yield
    forget()


@pytest.fixture
def patient_with_redis(monkeypatch: pytest.MonkeyPatch) -> None:
    """A Redis that is slow on a busy machine is still a Redis."""
    monkeypatch.setitem(web.REDIS_OPTIONS, "socket_timeout", 30)
    monkeypatch.setitem(web.REDIS_OPTIONS, "socket_connect_timeout", 30)


@pytest.fixture
def patient_with_passwords(monkeypatch: pytest.MonkeyPatch) -> None:
    """Many passwords at once are refused for a reason of their own, which is not Redis."""
    monkeypatch.setattr(passwords, "LONGEST_WAIT_SECONDS", 60)


@pytest.fixture
def server() -> Iterator[RedisServer]:
    with RedisServer() as server:
        yield server


@pytest.fixture
def limited(config: Config, server: RedisServer) -> Iterator[Flask]:
    """The program as it runs in production: limits are counted in Redis."""
    app = create_app(replace(config, REDIS_URL=server.url()))
    app.config.update(WTF_CSRF_ENABLED=False)
    yield app
    app.extensions["engine"].dispose()


def process_of(server: RedisServer) -> int:
    with redis.Redis.from_url(server.url()) as client:
        return int(client.info("server")["process_id"])


def statuses_of_many(app: Flask) -> list[int]:
    """Sixteen at once, on a page without a limit and a form with two."""

    def ask(number: int) -> int:
        client = app.test_client()
        if number % 2:
            return client.get("/sessions/").status_code
        return client.post("/sign-in", data=WRONG | {"email": f"{number}@b.org"}).status_code

    with ThreadPoolExecutor(16) as pool:
        return list(pool.map(ask, range(16)))


@ONE_DATABASE
@pytest.mark.usefixtures("patient_with_redis")
def test_tries_are_counted_in_redis(limited: Flask) -> None:
    client = limited.test_client()

    statuses = [client.post("/sign-in", data=WRONG).status_code for _ in range(11)]

    assert statuses == [422] * 10 + [429]
    assert not limiter._storage_dead


@ONE_DATABASE
@pytest.mark.usefixtures("patient_with_redis")
@pytest.mark.parametrize("is_guarded", [True, False], ids=["guarded", "unguarded"])
def test_a_form_too_large_is_refused_in_words_and_is_no_sign_that_redis_went(
    limited: Flask, is_guarded: bool
) -> None:
    limited.config.update(WTF_CSRF_ENABLED=is_guarded)
    large = WRONG | {"password": "x" * limited.config["MAX_CONTENT_LENGTH"]}

    answer = limited.test_client().post("/sign-in", data=large)

    assert answer.status_code == 413
    assert "What you sent is too large for this address; nothing was stored." in answer.text
    assert not limiter._storage_dead


@ONE_DATABASE
@pytest.mark.usefixtures("patient_with_passwords")
def test_no_page_breaks_while_redis_hangs_and_it_counts_again_afterwards(
    limited: Flask, server: RedisServer
) -> None:
    client = limited.test_client()
    client.post("/sign-in", data=WRONG)
    process = process_of(server)

    os.kill(process, signal.SIGSTOP)
    try:
        first = client.post("/sign-in", data=WRONG).status_code
        during = statuses_of_many(limited)
        fallen_back = limiter._storage_dead
    finally:
        os.kill(process, signal.SIGCONT)

    def counts_again() -> bool:
        client.post("/sign-in", data=WRONG | {"email": "other@b.org"})
        return not limiter._storage_dead

    wait_for(counts_again, seconds=UNTIL_LOOKED_FOR_SECONDS)

    assert (first, fallen_back) == (422, True)
    assert set(during) == {200, 422}


@ONE_DATABASE
@pytest.mark.usefixtures("patient_with_passwords")
def test_no_page_breaks_when_redis_is_killed(limited: Flask, server: RedisServer) -> None:
    client = limited.test_client()
    client.post("/sign-in", data=WRONG)

    os.kill(process_of(server), signal.SIGKILL)
    during = statuses_of_many(limited)
    tries = [client.post("/sign-in", data=WRONG).status_code for _ in range(12)]

    assert set(during) == {200, 422}
    assert 429 in tries, "each process counts for itself meanwhile"


@ONE_DATABASE
@pytest.mark.usefixtures("patient_with_passwords")
def test_the_program_starts_without_redis(config: Config, server: RedisServer) -> None:
    url = server.url()
    os.kill(process_of(server), signal.SIGKILL)

    app = create_app(replace(config, REDIS_URL=url))
    app.config.update(WTF_CSRF_ENABLED=False)
    statuses = statuses_of_many(app)
    app.extensions["engine"].dispose()

    assert set(statuses) == {200, 422}
