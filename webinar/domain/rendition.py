"""The forms in which one programme is sent: whole, small, and as sound alone."""

from enum import StrEnum


class Rendition(StrEnum):
    """What a viewer may choose. All of them carry the same programme time."""

    MAIN = "main"
    LOW = "low"
    AUDIO = "audio"
