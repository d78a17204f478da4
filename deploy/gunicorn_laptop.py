"""One process that serves and keeps the clock: what ./run starts."""

from gunicorn.arbiter import Arbiter
from gunicorn.workers.base import Worker

from webinar.jobs.clock import Clock, start_in_background
from webinar.jobs.toolbox import Toolbox

workers = 1  # more than one would keep as many clocks: harmless, but of no use on a laptop
worker_class = "gthread"
threads = 24
timeout = 60
graceful_timeout = 3
keepalive = 15
preload_app = False

_clock: Clock | None = None


def post_worker_init(worker: Worker) -> None:
    """Start the clock in the process that serves."""
    global _clock
    config = worker.wsgi.extensions["config"]
    if config.EMBEDDED_CLOCK:
        _clock = start_in_background(Toolbox.from_config(config))


def worker_exit(_server: Arbiter, _worker: Worker) -> None:
    """Stop the clock with the process."""
    if _clock is not None:
        _clock.shutdown(wait=False)
