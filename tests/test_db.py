"""The engine: as many connections as there are threads."""

from contextlib import ExitStack

from flask import Flask
from sqlalchemy import text

from webinar.db import read_db


def test_every_thread_of_a_server_can_read_while_all_the_others_do(app: Flask) -> None:
    with ExitStack() as stack:
        readers = [stack.enter_context(read_db()) for _ in range(30)]
        answers = [db.scalar(text("SELECT 1")) for db in readers]

    assert answers == [1] * 30
