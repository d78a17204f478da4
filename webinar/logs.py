"""The log: one line for people or one JSON object for collectors, and nobody's secrets in it.

Whatever writes, this program or a library, goes through here: its lines carry the number of the
request they belong to, and lose addresses of people, values of statements and what looks like a
token. Only stdlib loggers are used elsewhere; this is the home of structlog.
"""

import logging
import re
import sys
from collections.abc import Iterable
from contextlib import AbstractContextManager
from typing import TextIO

import structlog
from structlog.contextvars import bind_contextvars, bound_contextvars, get_contextvars
from structlog.typing import EventDict, Processor, WrappedLogger

REQUEST = "request"
# Parts of a line that callers may hand over beside its words, with `extra`.
FACTS = frozenset({"method", "route", "status", "milliseconds"})
# Libraries that tell more than anybody wants to read; httpx tells addresses with their secrets.
QUIET = ("alembic", "apscheduler", "botocore", "fontTools", "httpcore", "httpx", "pyhanko")
SHORTEST_SECRET = 8
SHORTEST_TOKEN = 20
LONGEST_LINE = 8_000
# Written by the program itself, of a closed list of values: not looked through, at every request.
HARMLESS = frozenset({"timestamp", "level", "logger", "method", "route", REQUEST})

# Each run of letters is begun once and never given back: the handler's lock is held meanwhile.
_ADDRESS = re.compile(
    r"(?<![\w.+'-])(?:(?<!%)|(?!2[bB]))(?:[\w.+'-]|%2[bB])++(?:@|%40)[\w-]+(?:\.[\w-]+)*"
)
# Letters both large and small with digits among them, long and without a pause: a token of ours.
_TOKEN = re.compile(r"(?<![\w-])(?=[\w-]*[A-Z])(?=[\w-]*[a-z])(?=[\w-]*\d)[\w-]{20,}")
# What would begin a line, move the cursor of a terminal or turn the direction of reading.
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]")
# The values of a statement that failed: the sentence of SQLAlchemy, the detail of PostgreSQL.
# Without their end all that follows is left out: it may be cut, and is looked through only once.
_VALUES = re.compile(
    r"\[parameters: .*?(?:\](?=\s*\n|\s*$)|\Z)|DETAIL:.*?(?=\n\[SQL|\nCONTEXT|\Z)", re.S
)


def start(
    kind: str,
    *,
    secrets: Iterable[str] = (),
    shows_people: bool = False,
    to: TextIO | None = None,
) -> logging.Handler:
    """Let every logger of this process write to `to` (standard error) as "text" or "json".

    `secrets` are never written, wherever they turn up. Addresses of people are cut to what tells
    two apart, unless `shows_people`. Returns the handler, for who wants to take it away again.
    """
    hide = _Hide(secrets, shows_people=shows_people)
    handler = logging.StreamHandler(to or sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[
                structlog.contextvars.merge_contextvars,
                structlog.stdlib.add_log_level,
                structlog.stdlib.add_logger_name,
                structlog.stdlib.ExtraAdder(allow=FACTS),
                structlog.processors.TimeStamper(fmt="iso", utc=True),
            ],
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.format_exc_info,
                hide,
                _renderer(kind),
            ],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.INFO)
    for name in QUIET:
        logging.getLogger(name).setLevel(logging.WARNING)
    for name in ("gunicorn.error", "gunicorn.access"):
        # Its own handlers write to where they were told to; what they write is ours.
        for own in logging.getLogger(name).handlers:
            own.setFormatter(handler.formatter)
    logging.captureWarnings(True)
    return handler


def begin_request(number: str) -> None:
    """What this thread writes from now on belongs to this request, until the next begins."""
    bind_contextvars(**{REQUEST: number})


def request_number() -> str:
    """The number of the request this thread works for, or nothing."""
    return str(get_contextvars().get(REQUEST, ""))


def about(**facts: str | int) -> AbstractContextManager[None]:
    """Lines written inside carry these facts: `with logs.about(tick="decide credit"):`."""
    return bound_contextvars(**facts)


def masked(address: str) -> str:
    """The address of a person so that two can be told apart and neither is known."""
    local, _, host = address.replace("%40", "@").rpartition("@")
    return f"{local[:1]}…@{host[:1]}…"


class _Hide:
    """Takes out of every text what must not stand in a log."""

    def __init__(self, secrets: Iterable[str], *, shows_people: bool) -> None:
        known = {secret for secret in secrets if len(secret) >= SHORTEST_SECRET}
        # The longest first: one may be a part of another.
        self._secrets = sorted(known, key=len, reverse=True)
        self._shows_people = shows_people

    def __call__(self, _logger: WrappedLogger, _method: str, line: EventDict) -> EventDict:
        for key, value in line.items():
            if isinstance(value, str) and key not in HARMLESS:
                line[key] = self.cleaned(value)
        return line

    def cleaned(self, text: str) -> str:
        for secret in self._secrets:
            text = text.replace(secret, "…")
        if "[parameters: " in text or "DETAIL:" in text:
            text = _VALUES.sub("[values left out]", text)
        if len(text) > LONGEST_LINE:
            text = "\n".join(_cut(line) for line in text.split("\n"))
        if not self._shows_people and ("@" in text or "%40" in text):
            text = _ADDRESS.sub(lambda found: masked(found[0]), text)
        return _TOKEN.sub("…", text) if len(text) >= SHORTEST_TOKEN else text


def _cut(line: str) -> str:
    """Ends with a whole word: half an address or token would not be known for one."""
    if len(line) <= LONGEST_LINE:
        return line
    head = line[:LONGEST_LINE]
    return head[: max(head.rfind(" "), head.rfind("\t"), 0)] + " [cut]"


def _renderer(kind: str) -> Processor:
    if kind == "json":
        return structlog.processors.JSONRenderer(ensure_ascii=False)
    return _as_text


def _as_text(_logger: WrappedLogger, _method: str, line: EventDict) -> str:
    """`2026-11-26 17:15:00 INFO webinar.jobs.mail: mail dropped request=4f1c…`."""
    moment = str(line.pop("timestamp"))[:19].replace("T", " ")
    head = f"{moment} {str(line.pop('level')).upper()} {line.pop('logger')}: {line.pop('event')}"
    traceback = line.pop("exception", None)
    facts = "".join(f" {key}={value}" for key, value in sorted(line.items()))
    # What people type must not look like a line of its own.
    return _CONTROL.sub(_written_out, head + facts) + (f"\n{traceback}" if traceback else "")


def _written_out(control: re.Match[str]) -> str:
    return control[0].encode("unicode_escape").decode()
