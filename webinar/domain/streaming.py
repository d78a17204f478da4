"""From where a broadcast's picture comes."""

from enum import StrEnum


class Source(StrEnum):
    """What a take was sent with."""

    BROWSER = "browser"
    SRT = "srt"
    RTMP = "rtmp"
