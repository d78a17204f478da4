"""The live playlists of one process, kept for a moment: all viewers ask for the same few lines."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from threading import Lock

from config import Config
from webinar.db import read_db
from webinar.domain.rendition import Rendition
from webinar.models import Recording
from webinar.web.playlist_writer import PlaylistWriter

KEPT = timedelta(milliseconds=200)
MOST_KEPT = 200

Key = tuple[int, Rendition | None]


@dataclass(frozen=True)
class _Written:
    at: datetime
    text: bytes


class LivePlaylists:
    """Written anew when older than `KEPT`. Threads share them; one writes, the others wait."""

    def __init__(self, config: Config) -> None:
        self._writer = PlaylistWriter(config)
        self._written: dict[Key, _Written] = {}
        self._lock = Lock()

    def read(self, recording_id: int, rendition: Rendition | None, *, now: datetime) -> bytes:
        """The text; without rendition the one that names them all. Raises NoPictureYet."""
        key = (recording_id, rendition)
        if (text := self._fresh(key, now)) is not None:
            return text
        with self._lock:
            if (text := self._fresh(key, now)) is not None:
                return text
            text = self._write(recording_id, rendition)
            if len(self._written) >= MOST_KEPT:
                self._written.clear()
            self._written[key] = _Written(now, text)
            return text

    def _fresh(self, key: Key, now: datetime) -> bytes | None:
        known = self._written.get(key)
        if known is None or abs(now - known.at) >= KEPT:
            return None
        return known.text

    def _write(self, recording_id: int, rendition: Rendition | None) -> bytes:
        with read_db() as db:
            recording = db.get_one(Recording, recording_id)
            if rendition is None:
                text = self._writer.live(db, recording)
            else:
                text = self._writer.live_media(db, recording, rendition)
        return text.encode()
