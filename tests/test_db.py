"""The engine: as many connections as there are threads."""

import os
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack

from flask import Flask
from sqlalchemy import func, select, text

from tests.builders import make_user
from webinar import db as db_module
from webinar.db import open_db, read_db
from webinar.models import User


def test_every_thread_of_a_server_can_read_while_all_the_others_do(app: Flask) -> None:
    with ExitStack() as stack:
        readers = [stack.enter_context(read_db()) for _ in range(30)]
        answers = [db.scalar(text("SELECT 1")) for db in readers]

    assert answers == [1] * 30


def test_many_who_write_at_once_all_have_their_turn(app: Flask) -> None:
    def write(_number: int) -> None:
        for _ in range(5):
            with open_db.begin() as db:
                known = db.scalar(select(func.count()).select_from(User))
                make_user(db, name=f"number {known}")

    with ThreadPoolExecutor(20) as pool:
        list(pool.map(write, range(20)))
    with read_db() as db:
        names = db.scalars(select(User.name)).all()

    assert len(names) == 100
    if app.extensions["engine"].dialect.name == "sqlite":
        assert set(names) == {f"number {number}" for number in range(100)}


def test_a_fork_does_not_wait_for_a_thread_of_its_parent(app: Flask) -> None:
    with db_module._turn:
        child = os.fork()
        if child == 0:
            os._exit(0 if db_module._turn.acquire(timeout=1) else 1)
        _, status = os.waitpid(child, 0)

    assert os.waitstatus_to_exitcode(status) == 0
