"""The engine: who does what the clock finds due. In the same process, or in workers elsewhere."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from webinar.jobs.ticking import Tick
from webinar.services import offers

BATCH = 100  # mails handed out together: they share a connection to the mail server


@dataclass(frozen=True)
class Timings:
    """How long one waits for another. Tests that kill wait for less."""

    offered_for: timedelta = offers.OFFERED_FOR
    heartbeat_seconds: float = 5.0
    stalled_after_seconds: float = 20.0
    retry_seconds: int = 5  # after a mail that another one holds
    poll_seconds: float = 2.0


class Engine(Protocol):
    """What the clock hands work to."""

    def offer_mails(self, *, now: datetime) -> int:
        """Hand out mails that are due; how many. What stays unsent is handed out again."""

    def hand_out(self, tick: Tick, *, now: datetime) -> None:
        """See to it that this tick runs soon, once at a time."""

    def mend(self) -> None:
        """Take up what workers left behind that died."""

    def stop(self, *, wait: bool) -> None:
        """End; with `wait`, what is being done is done first."""


def batches(ids: list[int], *, most: int) -> list[list[int]]:
    """The ids in groups of at most so many, in their order."""
    return [ids[first : first + most] for first in range(0, len(ids), most)]
