"""Waiting for what another process or thread does."""

import time
from collections.abc import Callable

PATIENCE_SECONDS = 60


def wait_for(what: Callable[[], bool], *, seconds: float = PATIENCE_SECONDS) -> None:
    """Until it is so; a minute at the most, unless it may take longer."""
    end = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < end, "it did not come"
        time.sleep(0.1)
