"""A room that is an address and nothing else: who pressed the button is all that is known."""

from collections.abc import Callable
from datetime import datetime
from pathlib import Path

from webinar.domain.rooms import (
    Entry,
    Heard,
    HookCall,
    HookRefused,
    KnownRoom,
    MadeRoom,
    RemoteRecording,
    RoomMissing,
    RoomPlan,
    RoomProvider,
    Standing,
    Visit,
    Visitor,
    checked_address,
)


class PlainAddress:
    """Nothing is made, asked or fetched there."""

    provider = RoomProvider.ADDRESS
    is_made_ahead = False

    def create(self, plan: RoomPlan, *, now: datetime) -> MadeRoom:
        """The room exists already."""
        checked_address(plan.address)
        return MadeRoom(remote_id="")

    def update(self, room: KnownRoom, plan: RoomPlan, *, now: datetime) -> None:
        """Nobody is told."""

    def withdraw(self, room: KnownRoom, *, now: datetime) -> None:
        """It is not ours."""

    def join_url(self, room: KnownRoom, visitor: Visitor, *, now: datetime) -> Entry:
        """The same address for everybody."""
        return Entry(checked_address(room.address), visitor.reference, is_kept=False)

    def handle_webhook(self, call: HookCall, *, now: datetime) -> Heard:
        """Nobody reports from there."""
        raise HookRefused("This room has no webhook.")

    def standing(self, room: KnownRoom, *, now: datetime) -> Standing | None:
        """Nobody knows."""
        return None

    def attendance(self, room: KnownRoom, *, now: datetime) -> tuple[Visit, ...]:
        """Nobody counts."""
        return ()

    def recordings(self, room: KnownRoom, *, now: datetime) -> tuple[RemoteRecording, ...]:
        """A recording made there has to be uploaded by hand."""
        return ()

    def download(
        self, recording: RemoteRecording, path: Path, *, alive: Callable[[], None], now: datetime
    ) -> None:
        """There is none."""
        raise RoomMissing("A plain address has no recordings to fetch.")

    def delete_recording(
        self, room: KnownRoom, recording: RemoteRecording, *, now: datetime
    ) -> None:
        """There is none."""

    def end(self, room: KnownRoom, *, now: datetime) -> None:
        """Our door closes; the room itself is not ours."""
