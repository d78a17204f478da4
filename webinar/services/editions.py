"""Which form of a recording a page was made for: a cut or a better file makes another one.

A player turns its clock into source time by what its page said. So the playlists say which form
they are, and what belongs to another one is refused: evidence would land in the wrong place.
"""

from hashlib import sha256

from webinar.domain.errors import Conflict
from webinar.models import Recording


class Edited(Conflict):
    """The page was made before a cut or a better file."""

    def __init__(self) -> None:
        super().__init__(
            "The recording was edited meanwhile. Reload the page; it goes on where you were."
        )


def edition_of(recording: Recording) -> str:
    """A short digest of the file and the cuts."""
    kept = recording.kept and [[int(start), int(end)] for start, end in recording.kept]
    return sha256(f"{recording.generation} {kept}".encode()).hexdigest()[:12]


def ensure_current(recording: Recording, edition: str | None) -> None:
    """Raise Edited for another edition; None is a player that does not count time."""
    if edition is not None and edition != edition_of(recording):
        raise Edited
