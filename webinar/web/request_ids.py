"""Every request has a number: in its lines of the log, in its answer, on its error page.

It stands outermost, so that beats and media, which are answered in front of Flask, have one too.
The number is a name, no secret. A proxy that makes one (nginx: $request_id) sends its own in
X-Request-Id.
"""

import logging
import random
import re
import time
from collections.abc import Callable, Iterable
from types import TracebackType
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

from flask import Flask, g, request
from werkzeug.wrappers import Response

from webinar import logs

log = logging.getLogger(__name__)

HEADER = "X-Request-Id"
# Nothing that could be an address of a person, a line of its own, or long.
SANE = re.compile(r"[A-Za-z0-9-]{8,64}")
# Asked every few seconds by machines: their lines would hide the others.
NOT_TOLD = frozenset({"health.alive", "health.ready", "metrics.show", "static"})

Headers = list[tuple[str, str]]
OptExcInfo = tuple[type[BaseException], BaseException, TracebackType] | tuple[None, None, None]


class RequestIds:
    """A callable in front of another that numbers what comes."""

    def __init__(self, inner: WSGIApplication) -> None:
        self._inner = inner

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        sent = environ.get("HTTP_X_REQUEST_ID", "")
        number = sent if SANE.fullmatch(sent) else f"{random.getrandbits(64):016x}"
        logs.begin_request(number)

        def numbered(
            status: str, headers: Headers, exc_info: OptExcInfo | None = None, /
        ) -> Callable[[bytes], object]:
            return start_response(status, [*headers, (HEADER, number)], exc_info)

        return self._inner(environ, numbered)


def init_app(app: Flask) -> None:
    """Let pages say their number, and tell each request in a line."""
    app.before_request(_begin)
    app.after_request(_tell)
    app.context_processor(lambda: {"request_id": logs.request_number()})


def _begin() -> None:
    g.began = time.monotonic()


def _tell(answer: Response) -> Response:
    if request.endpoint not in NOT_TOLD and log.isEnabledFor(logging.INFO):
        # The rule, not the path: that may hold a secret.
        facts = {
            "method": request.method,
            "route": str(request.url_rule or "unknown"),
            "status": answer.status_code,
            "milliseconds": round((time.monotonic() - g.get("began", time.monotonic())) * 1000),
        }
        log.info("request", extra=facts)
    return answer
