"""Waiting for what another process or thread does."""

import time
from collections.abc import Callable

PATIENCE_SECONDS = 60


def wait_for(what: Callable[[], bool]) -> None:
    """Until it is so; a minute at the most."""
    end = time.monotonic() + PATIENCE_SECONDS
    while not what():
        assert time.monotonic() < end, "it did not come"
        time.sleep(0.1)
