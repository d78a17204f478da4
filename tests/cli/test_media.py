"""`flask media` as whoever keeps the server calls it."""

import pytest
from flask import Flask

from config import Config
from webinar.tools import media_shelf

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


def test_a_check_says_what_is_wrong_and_ends_with_1(app: Flask, config: Config) -> None:
    run = app.test_cli_runner()

    whole = run.invoke(args=["media", "check"])
    media_shelf(config).storage.put("recordings/nobody/main-000000-ab.ts", b"left behind")
    wrong = run.invoke(args=["media", "check", "--all"])

    assert (whole.exit_code, whole.output) == (
        0,
        "0 recordings, 0 segments, 0 MB read: all is whole.\n",
    )
    assert (wrong.exit_code, wrong.output) == (
        1,
        "surplus: recordings/nobody/main-000000-ab.ts\n"
        "0 recordings, 0 segments, 0 MB read: 1 wrong.\n",
    )
