"""Rooms of others where a session may take place: words all of them share."""

from enum import StrEnum


class RoomProvider(StrEnum):
    """Who runs the room."""

    ADDRESS = "address"
    BIGBLUEBUTTON = "bigbluebutton"
    ZOOM = "zoom"


class RoomState(StrEnum):
    """Where a room stands."""

    PLANNED = "planned"
    OPEN = "open"
    ENDED = "ended"
    LEFT = "left"  # another room took its place
