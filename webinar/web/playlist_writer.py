"""The playlists of one recording, written from its rows, with the addresses of the settings."""

from dataclasses import dataclass

from config import Config
from webinar.db import DbSession
from webinar.domain.edit import kept_of, shown_segments
from webinar.domain.rendition import Rendition
from webinar.media.playlists import (
    LIVE_WINDOW,
    NoPictureYet,
    Variant,
    live_playlist,
    master_playlist,
    recording_playlist,
)
from webinar.models import Recording
from webinar.services import recordings, stream_state
from webinar.services.editions import edition_of
from webinar.services.stream_state import Weight
from webinar.web.media_addresses import MediaAddresses

# What the encoder aims at, for the first seconds in which nothing can be measured.
NOMINAL = {
    Rendition.MAIN: (Weight(1_900_000, 1_600_000), "1280x720"),
    Rendition.LOW: (Weight(600_000, 500_000), "640x360"),
}
# By then every rendition of a broadcast has sent its first segment.
SETTLED_SEGMENTS = 5


@dataclass(frozen=True)
class PlaylistWriter:
    """Reads rows, returns text. Raises NoPictureYet where there is nothing to list."""

    config: Config

    def live(self, db: DbSession, recording: Recording) -> str:
        """The master playlist of what is on air, or the media playlist if there is no choice."""
        _ensure_uncut(recording)
        weights = stream_state.weights(db, recording)
        if Rendition.MAIN not in weights:
            raise NoPictureYet("There is no picture yet. The page starts by itself when it comes.")
        if Rendition.LOW not in weights and Rendition.LOW in self._ordered():
            [newest] = recordings.last_segments(db, recording.id, count=1)
            if newest.sequence < SETTLED_SEGMENTS:
                weights[Rendition.LOW] = NOMINAL[Rendition.LOW][0]
        return self._master(recording, weights, "live") or self.live_media(
            db, recording, Rendition.MAIN
        )

    def live_media(self, db: DbSession, recording: Recording, rendition: Rendition) -> str:
        """The last seconds of one rendition."""
        _ensure_uncut(recording)
        addresses = MediaAddresses.of(self.config, recording.public_id)
        # Asked first: a segment added in between makes the list longer, never ended too early.
        ended = not stream_state.more_comes(db, recording)
        newest = recordings.last_segments(db, recording.id, count=LIVE_WINDOW, rendition=rendition)
        passed = newest[0].sequence if newest else 0
        return live_playlist(
            newest,
            key_uri=addresses.key,
            segment_uri=addresses.segment,
            discontinuities_before=recordings.discontinuities_before(
                db, recording.id, passed, rendition=rendition
            ),
            ended=ended,
        )

    def whole(self, db: DbSession, recording: Recording) -> str:
        """The master playlist of the recording, or the media playlist if there is no choice."""
        weights = stream_state.weights(db, recording)
        return self._master(recording, weights, "recording") or self.whole_media(
            db, recording, Rendition.MAIN
        )

    def whole_media(self, db: DbSession, recording: Recording, rendition: Rendition) -> str:
        """One rendition from the beginning to the end, without what was cut out."""
        addresses = MediaAddresses.of(self.config, recording.public_id)
        rows = recordings.segments(db, recording.id, rendition=rendition)
        shown = shown_segments(rows, kept_of(recording.kept))
        return recording_playlist(
            [one.segment for one in shown],
            key_uri=addresses.key,
            segment_uri=addresses.segment,
            after_cut={one.segment.sequence for one in shown if one.after_cut},
        )

    def _ordered(self) -> list[str]:
        return [name.strip() for name in self.config.RENDITIONS.split(",")]

    def _master(
        self, recording: Recording, weights: dict[Rendition, Weight], kind: str
    ) -> str | None:
        # Sound alone has a playlist too, but is not named here: players would choose it for
        # weak networks, and drop the picture from the others.
        if Rendition.LOW not in weights:
            return None
        addresses = MediaAddresses.of(self.config, recording.public_id)
        edition = edition_of(recording) if kind == "recording" else ""
        return master_playlist(
            [
                Variant(
                    addresses.playlist(rendition, kind, edition=edition),
                    weights[rendition].peak,
                    weights[rendition].average,
                    NOMINAL[rendition][1],
                )
                for rendition in NOMINAL
                if rendition in weights
            ]
        )


def _ensure_uncut(recording: Recording) -> None:
    """The last seconds of an evening are the first to be cut off: then nobody lists them here."""
    if recording.kept is not None:
        raise NoPictureYet("This is over. Watch the recording.")
