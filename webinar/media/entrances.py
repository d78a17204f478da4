"""Places in a take where decoding can begin, so that nobody decodes an hour for a second."""

from dataclasses import dataclass, field


@dataclass(frozen=True)
class Entrance:
    """From this byte on, after the header, the medium can be decoded.

    `seconds` is the stamp of its first keyframe by the medium's own clock, unrolled; `header` goes
    before it where that is not the beginning of the take.
    """

    offset: int
    seconds: float
    header: bytes = field(default=b"", repr=False, compare=False)
