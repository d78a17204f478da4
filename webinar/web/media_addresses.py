"""Where playlists say that keys and segments are."""

from dataclasses import dataclass

from config import Config
from webinar.domain.rendition import Rendition
from webinar.models import MediaSegment


@dataclass(frozen=True)
class MediaAddresses:
    """The addresses of one recording, as they stand in its playlists.

    Keys are always the application's own. Segments are too, unless `media_url` names who hands
    out the ciphertext: then each is there under its name in the storage.
    """

    public_id: str
    media_url: str = ""

    @classmethod
    def of(cls, config: Config, public_id: str) -> "MediaAddresses":
        """As the settings say."""
        return cls(public_id, config.MEDIA_URL.rstrip("/"))

    def key(self, number: int) -> str:
        """The gate."""
        return f"/recordings/{self.public_id}/keys/{number}"

    def segment(self, row: MediaSegment) -> str:
        """Ciphertext."""
        if self.media_url:
            return f"{self.media_url}/{row.name}"
        return f"/recordings/{self.public_id}/segments/{row.name.rpartition('/')[2]}"

    def playlist(self, rendition: Rendition, kind: str, *, edition: str = "") -> str:
        """A media playlist; `kind` is "live" or "recording", which has an edition."""
        query = f"?edition={edition}" if edition else ""
        return f"/recordings/{self.public_id}/{rendition}/{kind}.m3u8{query}"
