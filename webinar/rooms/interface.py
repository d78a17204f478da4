"""What every provider of rooms can do for us."""

from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Protocol

from webinar.domain.rooms import (
    Entry,
    Heard,
    HookCall,
    KnownRoom,
    MadeRoom,
    RemoteRecording,
    RoomPlan,
    RoomProvider,
    Standing,
    Visit,
    Visitor,
)


class RoomService(Protocol):
    """A provider. Whatever goes wrong outside is raised as RoomTrouble, in words for organisers."""

    @property
    def provider(self) -> RoomProvider:
        """Which one it is."""
        ...

    @property
    def is_made_ahead(self) -> bool:
        """True if the room is made when it is planned, not when it opens."""
        ...

    def create(self, plan: RoomPlan, *, now: datetime) -> MadeRoom:
        """Make the room; where it can be told apart, twice is once."""
        ...

    def update(self, room: KnownRoom, plan: RoomPlan, *, now: datetime) -> None:
        """Tell of another title or hour, where the room was made ahead."""
        ...

    def withdraw(self, room: KnownRoom, *, now: datetime) -> None:
        """Take back a room that never opened; twice is fine."""
        ...

    def join_url(self, room: KnownRoom, visitor: Visitor, *, now: datetime) -> Entry:
        """The way in for one person, in the role and under the name given."""
        ...

    def handle_webhook(self, call: HookCall, *, now: datetime) -> Heard:
        """Check the signature, then read; raises HookRefused, HookUnreadable."""
        ...

    def standing(self, room: KnownRoom, *, now: datetime) -> Standing | None:
        """How the room is now; None if the provider cannot say."""
        ...

    def attendance(self, room: KnownRoom, *, now: datetime) -> tuple[Visit, ...]:
        """Who was there, once it is over; empty if the provider keeps no list."""
        ...

    def recordings(self, room: KnownRoom, *, now: datetime) -> tuple[RemoteRecording, ...]:
        """What was recorded, also what is still being worked on."""
        ...

    def download(
        self, recording: RemoteRecording, path: Path, *, alive: Callable[[], None], now: datetime
    ) -> None:
        """Write the recording's video to the path; `alive` is called while it comes."""
        ...

    def delete_recording(
        self, room: KnownRoom, recording: RemoteRecording, *, now: datetime
    ) -> None:
        """Delete it there; twice is fine."""
        ...

    def end(self, room: KnownRoom, *, now: datetime) -> None:
        """Send everybody out and close; twice is fine."""
        ...
