"""Small real videos, and a player that reads what was packaged as a browser would."""

import re
import subprocess
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from pathlib import Path

from webinar.media.ffmpeg import find_ffmpeg, run
from webinar.media.keys import KeyStore
from webinar.media.playlists import recording_playlist
from webinar.media.segments import ListedSegment
from webinar.media.storage import FileStorage

STARTED = datetime(2026, 11, 26, 17, 15, tzinfo=UTC)
FRAMES_PER_SECOND = 25

PICTURE = "testsrc2=s=320x180:r=25"
TONE = "sine=f=330:r=48000"
H264 = ["-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p"]
OPUS = ["-c:a", "libopus", "-b:a", "48k"]
# As a browser writes it: no length, no index, clusters that can be read as they come.
AS_IT_COMES = ["-live", "1", "-cluster_time_limit", "500", "-f", "matroska"]


def film(
    path: Path, *, seconds: int, picture: str = PICTURE, tone: str = TONE, how: Iterable[str] = ()
) -> Path:
    """Picture and tone, either of which may be empty, encoded as a browser's recorder does."""
    arguments = ["-y"]
    for source in (picture, tone):
        if source:
            arguments += ["-f", "lavfi", "-i", f"{source}:d={seconds}"]
    chosen = list(how) or [*H264, "-g", "50", *OPUS, *AS_IT_COMES]
    run([*arguments, *chosen, str(path)], timeout_seconds=60)
    return path


def pieces(data: bytes, *, count: int) -> list[bytes]:
    """The bytes in about `count` parts, the borders anywhere."""
    size = len(data) // count + 1
    return [data[start : start + size] for start in range(0, len(data), size)]


class Cinema:
    """Plays segments from the storage with the keys there are, and counts the pictures."""

    def __init__(self, storage: FileStorage, keys: KeyStore, folder: Path) -> None:
        self.storage = storage
        self.keys = keys
        self.folder = folder

    @property
    def playlist(self) -> Path:
        """What was laid out last."""
        return self.folder / "play.m3u8"

    def frames(self, recording_id: str, segments: Sequence[ListedSegment]) -> int:
        """Pictures that can be decoded from first to last."""
        self.lay_out(recording_id, segments)
        return self.decodable_frames(segments)

    def lay_out(self, recording_id: str, segments: Sequence[ListedSegment]) -> None:
        """The segments as a playlist, and the keys that open them."""
        self.folder.mkdir(exist_ok=True)
        for number in {segment.key_number for segment in segments}:
            key = self.keys.read(recording_id, number)
            (self.folder / f"{number}.key").write_bytes(key)
        self._list(segments)

    def decodable_frames(self, segments: Sequence[ListedSegment]) -> int:
        """The same, with the keys that lie about already."""
        self._list(segments)
        reader = ["-allowed_extensions", "ALL", "-protocol_whitelist", "file,crypto"]
        counting = ["-map", "0:v", "-fps_mode", "passthrough", "-f", "null", "-progress", "-", "-"]
        done = subprocess.run(
            [
                find_ffmpeg(),
                "-nostats",
                "-loglevel",
                "error",
                *reader,
                "-i",
                self.playlist,
                *counting,
            ],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        counted = re.findall(r"frame=(\d+)", done.stdout)
        return int(counted[-1]) if counted else 0

    def _list(self, segments: Sequence[ListedSegment]) -> None:
        self.playlist.write_text(
            recording_playlist(
                segments,
                key_uri=lambda number: f"{number}.key",
                segment_uri=lambda segment: str(self.storage.path(segment.name)),
            )
        )
