"""From where a broadcast's picture comes, and what programs beside the browser need to send it."""

import re
from dataclasses import dataclass
from enum import StrEnum

PACKET_BYTES = 188  # of MPEG-TS (ISO/IEC 13818-1, 2.4.3.2)


class Source(StrEnum):
    """What a take was sent with."""

    BROWSER = "browser"
    SRT = "srt"
    RTMP = "rtmp"


@dataclass(frozen=True)
class WayIn:
    """What a person types into OBS: the server, and for RTMP the stream key."""

    server: str
    stream_key: str = ""


def port_range(text: str) -> range:
    """The ports of a setting such as "9000-9019" or "9000"; "" is none. Raises ValueError."""
    if text == "":
        return range(0)
    found = re.fullmatch(r"(\d{1,5})(?:-(\d{1,5}))?", text)
    if found is None:
        raise ValueError(f"{text!r} is not a range of ports such as 9000-9019")
    first, last = int(found[1]), int(found[2] or found[1])
    if not 1024 <= first <= last <= 65535:
        raise ValueError(f"{text!r}: ports lie between 1024 and 65535, the lower one first")
    return range(first, last + 1)


def whole_packets(data: bytes) -> tuple[bytes, bytes]:
    """The bytes up to the last whole packet, and the rest."""
    end = len(data) // PACKET_BYTES * PACKET_BYTES
    return data[:end], data[end:]
