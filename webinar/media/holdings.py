"""How much there is of a recording in the stores that have no rows."""

from webinar.domain.destruction import Held
from webinar.media.shelf import MediaShelf


def held_of(shelf: MediaShelf, recording_id: str, broadcast_id: str) -> Held:
    """Keys and takes, by public ids; `broadcast_id` is "" for what was imported."""
    takes = shelf.takes.takes(broadcast_id) if broadcast_id else []
    return Held(keys=len(shelf.keys.numbers(recording_id)), takes=len(takes))
