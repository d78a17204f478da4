"""What stands in the log, and what does not."""

import io
import json
import logging
import re
import warnings
from collections.abc import Callable, Iterator

import pytest
from structlog.contextvars import clear_contextvars

from webinar import logs

Lines = Callable[[], list[str]]
log = logging.getLogger("webinar.jobs.mail")
TOKEN = "fZ3kq8Y1mWb_0Lr-7uXcVtN2oPsQ5aEd"


@pytest.fixture
def writing() -> Iterator[Callable[..., Lines]]:
    """Write as a process would, for as long as the test takes."""
    root = logging.getLogger()
    before, level = list(root.handlers), root.level
    clear_contextvars()

    def start(kind: str = "text", **choices: object) -> Lines:
        stream = io.StringIO()
        logs.start(kind, to=stream, **choices)  # type: ignore[arg-type]
        return lambda: stream.getvalue().splitlines()

    yield start
    root.handlers[:] = before
    root.setLevel(level)
    logging.captureWarnings(False)


def test_a_line_for_people_says_when_how_bad_who_and_what(writing: Callable[..., Lines]) -> None:
    lines = writing()

    log.info("mail dropped: delivery=%s", 12)

    [line] = lines()
    assert re.sub(r"\d", "0", line) == (
        "0000-00-00 00:00:00 INFO webinar.jobs.mail: mail dropped: delivery=00"
    )


def test_a_line_for_collectors_is_one_object(writing: Callable[..., Lines]) -> None:
    lines = writing("json")

    logs.begin_request("0123456789abcdef")
    with logs.about(tick="decide credit"):
        log.warning("décision waits", extra={"status": 503, "unknown": "left out"})

    [line] = [json.loads(line) for line in lines()]
    assert line.pop("timestamp").endswith("Z")
    assert line == {
        "event": "décision waits",
        "level": "warning",
        "logger": "webinar.jobs.mail",
        "request": "0123456789abcdef",
        "status": 503,
        "tick": "decide credit",
    }


def test_a_traceback_stays_within_its_object(writing: Callable[..., Lines]) -> None:
    lines = writing("json")

    try:
        raise ValueError("jana.novakova@example.org is taken")
    except ValueError:
        log.exception("could not be stored")

    [line] = [json.loads(line) for line in lines()]
    assert line["exception"].endswith("ValueError: j…@e… is taken")


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("mail to Jana <jana+x@uni.example>", "mail to Jana <j…@u…>"),
        ("GET /open?to=jana%40uni.example", "GET /open?to=j…@u…"),
        (f"GET /faculty/{TOKEN}/studio", "GET /faculty/…/studio"),
        ("password is correct horse battery", "password is …"),
        ("[SQL: INSERT]\n[parameters: ('Jana', 1)]", "[SQL: INSERT]\n[values left out]"),
        ("DETAIL:  Key (name)=(Jana) exists.\n[SQL: x]", "[values left out]\n[SQL: x]"),
        ("recording=AB12cd34 take=3", "recording=AB12cd34 take=3"),
        ("in test_a_long_name_without_large_letters_2", None),
        ("digest 9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08", None),
    ],
)
def test_people_values_and_secrets_are_left_out(
    writing: Callable[..., Lines], written: str, read: str | None
) -> None:
    lines = writing("json", secrets=["correct horse battery", "horse"])

    log.info("%s", written)

    assert json.loads(lines()[0])["event"] == (written if read is None else read)


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("mail to " + "y" * 100 + "@uni.example", "mail to y…@u…"),
        ("GET /open?to=%2Bjana%40uni.example", "GET /open?to=%…@u…"),
        ("GET /open?to=%20jana%2Bx%40uni.example", "GET /open?to=%2…@u…"),
        ("o'brien@uni.example,ann@uni.example", "o…@u…,a…@u…"),
    ],
)
def test_an_address_is_known_however_long_and_wherever_it_begins(
    writing: Callable[..., Lines], written: str, read: str
) -> None:
    lines = writing("json")

    log.info("%s", written)

    assert json.loads(lines()[0])["event"] == read


@pytest.mark.parametrize(
    "letters",
    ["x" * 7_000, "a%2B" * 1_800, "%2B" * 2_500, "a." * 3_500, "[parameters: " * 600],
)
def test_a_line_made_to_take_long_is_looked_through_once(
    writing: Callable[..., Lines], letters: str
) -> None:
    # So long that what grows with the square of a run's length does not end within the test.
    lines = writing("json")

    log.info("%s", f"{letters} @\n" * 300 + "to jana@uni.example")

    assert "jana" not in lines()[0]


def test_a_line_too_long_to_read_ends_with_a_whole_word(writing: Callable[..., Lines]) -> None:
    lines = writing("json")

    log.info("%s", "word " * 1_599 + "jana@uni.example and more")

    assert json.loads(lines()[0])["event"] == "word " * 1_598 + "word [cut]"


def test_what_people_type_makes_no_line_of_its_own(writing: Callable[..., Lines]) -> None:
    lines = writing()

    with logs.about(tick="one\rtwo"):
        log.info("asked for %s", "a\r\n2026-11-26 17:15:00 INFO webinar: all is well\x1b[2K\u2028b")

    [line] = lines()
    assert line.endswith(
        r": asked for a\r\n2026-11-26 17:15:00 INFO webinar: all is well\x1b[2K\u2028b"
        r" tick=one\rtwo"
    )


def test_a_traceback_keeps_its_lines(writing: Callable[..., Lines]) -> None:
    lines = writing()

    try:
        raise ValueError("taken")
    except ValueError:
        log.exception("could not be stored")

    assert lines()[1] == "Traceback (most recent call last):"
    assert lines()[-1] == "ValueError: taken"


def test_who_develops_sees_to_whom_a_mail_goes(writing: Callable[..., Lines]) -> None:
    lines = writing(shows_people=True)

    log.info("mail to %s", "jana@uni.example")

    assert lines()[0].endswith("mail to jana@uni.example")


def test_libraries_that_talk_much_or_of_addresses_are_kept_quiet(
    writing: Callable[..., Lines],
) -> None:
    lines = writing()

    logging.getLogger("httpx").info("HTTP Request: GET https://bbb.example/?checksum=1")
    logging.getLogger("apscheduler.executors").info("Running job")
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        warnings.warn("this will go away", stacklevel=1)

    assert [line for line in lines() if "http" in line or "job" in line] == []
    assert "this will go away" in lines()[0]
