"""What is counted while it runs, for Prometheus: GET /metrics. Each name stands in operations.md.

Several processes count together if PROMETHEUS_MULTIPROC_DIR names a folder before they start, as
deploy/gunicorn_server.py sees to; otherwise each answers for itself. Who else of this machine
counts in a folder below it (deploy/beats_server.py does) is added.
"""

import hmac
import os
import time
from collections.abc import Iterable, Sequence
from pathlib import Path

from flask import Blueprint, Response, current_app, g, request
from flask.typing import ResponseReturnValue
from prometheus_client import (
    CONTENT_TYPE_LATEST,
    REGISTRY,
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    Metric,
    generate_latest,
)
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.registry import Collector

from webinar.domain.attendance import PassFacts, PlaySegment, ViewingMode
from webinar.domain.errors import NotFound
from webinar.web.access import by_token
from webinar.web.service_metrics import ServiceCollector

bp = Blueprint("metrics", __name__)

BEATS = Counter("webinar_beats", "Beats that were answered.", ["answer"])
ACCEPTED = BEATS.labels("accepted")
REFUSED = BEATS.labels("refused")
REFUSALS = Counter("webinar_beats_refused", "Beats that were refused, by code.", ["code"])
CLIPPED = Counter("webinar_beats_clipped", "Segments cut to what can be true.", ["why"])
STORED = Counter("webinar_segments_stored", "Segments written to the database.")
STORE_FAILED = Counter("webinar_beat_batches_failed", "Batches to be written again.")
WAITING = Gauge(
    "webinar_segments_waiting", "Segments not yet written.", multiprocess_mode="livesum"
)
PASSES = Counter("webinar_passes_issued", "Viewing passes handed out.", ["mode"])
REQUESTS = Counter("webinar_requests", "Requests answered by pages, by status.", ["status"])
# By blueprint: by address would be hundreds of series a process.
SECONDS = Histogram(
    "webinar_request_seconds",
    "How long pages took.",
    ["part"],
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10),
)


def refused(code: str) -> None:
    """Count a refused beat. Codes are a closed list: docs/attendance-protocol.md."""
    REFUSED.inc()
    REFUSALS.labels(code).inc()


def accepted(facts: PassFacts, sent: Sequence[object], checked: Sequence[PlaySegment]) -> None:
    """Count a beat that was taken in, and which of its segments were cut."""
    ACCEPTED.inc()
    for raw, segment in zip(sent, checked, strict=True):
        match raw:
            case [_, int(start), int(end)]:
                if segment.start * 1000 > start + 0.5:
                    CLIPPED.labels(_why_begun_later(facts)).inc()
                if segment.end * 1000 < end - 0.5:
                    CLIPPED.labels(_why_ended_sooner(facts)).inc()


def _why_begun_later(facts: PassFacts) -> str:
    return "before_pass" if facts.mode is ViewingMode.LIVE else "window"


def _why_ended_sooner(facts: PassFacts) -> str:
    return "ahead" if facts.mode is ViewingMode.LIVE else "window"


class _AllFolders(Collector):
    """What every process counted in this folder and in those below it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def collect(self) -> Iterable[Metric]:
        files = [str(file) for file in self.folder.rglob("*.db")]
        found: Iterable[Metric] = MultiProcessCollector.merge(files)  # type: ignore[no-untyped-call]
        return found


@bp.get("/metrics")
@by_token
def show() -> ResponseReturnValue:
    """All counts, for who sends the token of the settings; without one there is no such page."""
    token = current_app.extensions["config"].METRICS_TOKEN
    sent = request.headers.get("Authorization", "")
    if not token or not hmac.compare_digest(sent.encode(), f"Bearer {token}".encode()):
        raise NotFound("There is no such page.")
    registry = REGISTRY
    if "PROMETHEUS_MULTIPROC_DIR" in os.environ:
        registry = CollectorRegistry()
        registry.register(_AllFolders(Path(os.environ["PROMETHEUS_MULTIPROC_DIR"])))
    service = CollectorRegistry(auto_describe=False)
    service.register(ServiceCollector())
    counted = generate_latest(registry) + generate_latest(service)
    answer = Response(counted, content_type=CONTENT_TYPE_LATEST)
    answer.headers["Cache-Control"] = "no-store"
    return answer


@bp.after_app_request
def _count(answer: Response) -> Response:
    REQUESTS.labels(str(answer.status_code)).inc()
    if (began := g.get("began")) is not None:
        SECONDS.labels(request.blueprint or "other").observe(time.monotonic() - began)
    return answer
