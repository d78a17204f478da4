"""A few packaged segments opened again: for a still picture, and to find where pictures change."""

import re
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.ciphers.modes import CBC
from cryptography.hazmat.primitives.padding import PKCS7

from webinar.domain.errors import DomainError
from webinar.media.ffmpeg import FfmpegFailed, run
from webinar.media.poster import POSTER_WIDTH
from webinar.media.segments import ListedSegment
from webinar.media.shelf import MediaShelf

# How much of a picture must change to be another slide: hands and faces move less.
SLIDE_CHANGE = 0.08
STILL_SECONDS = 30
SCENES_SECONDS = 120


class NoStill(DomainError):
    """No picture could be taken there."""


def decrypt(sealed: bytes, *, key: bytes, iv: bytes) -> bytes:
    """The plain segment (AES-128-CBC with PKCS #7 padding); raises ValueError for another's."""
    decryptor = Cipher(AES(key), CBC(iv)).decryptor()
    padded = decryptor.update(sealed) + decryptor.finalize()
    unpadder = PKCS7(AES.block_size).unpadder()
    return unpadder.update(padded) + unpadder.finalize()


def still(
    shelf: MediaShelf, recording_id: str, segment: ListedSegment, *, seconds_in: float
) -> bytes:
    """The picture shown this far into the segment, as a JPEG. Raises NoStill."""
    with TemporaryDirectory(prefix="still-") as folder:
        source = _plain(shelf, recording_id, [segment], Path(folder))
        # Seeking past the last picture of a segment gives none: then its first one will do.
        for start in (max(seconds_in, 0.0), 0.0):
            try:
                jpeg = run(
                    [
                        *["-f", "mpegts", "-i", str(source), "-ss", f"{start:.3f}"],
                        *["-map", "0:v:0", "-frames:v", "1", "-q:v", "3"],
                        *["-vf", f"scale='min({POSTER_WIDTH},iw)':-2"],
                        *["-f", "mjpeg", "pipe:1"],
                    ],
                    timeout_seconds=STILL_SECONDS,
                )
            except FfmpegFailed:
                continue
            if jpeg:
                return jpeg
    raise NoStill("No picture could be taken there. Choose another moment.")


def changes(shelf: MediaShelf, recording_id: str, segments: Sequence[ListedSegment]) -> list[float]:
    """Seconds from the first segment on at which the picture becomes another. Raises NoStill.

    Looks at key pictures only, one every second or two: fast, and as exact as a chapter needs.
    The segments belong to one take.
    """
    with TemporaryDirectory(prefix="scenes-") as folder:
        source = _plain(shelf, recording_id, segments, Path(folder))
        try:
            said = run(
                [
                    *["-skip_frame", "nokey", "-f", "mpegts", "-i", str(source), "-an", "-vf"],
                    f"scale=320:-2,select='gt(scene,{SLIDE_CHANGE})',metadata=print:file=-",
                    *["-f", "null", "-"],
                ],
                timeout_seconds=SCENES_SECONDS,
            )
        except FfmpegFailed as failure:
            raise NoStill("This part of the recording cannot be looked through.") from failure
    return [float(found) for found in re.findall(rb"pts_time:([\d.]+)", said)]


def _plain(
    shelf: MediaShelf, recording_id: str, segments: Sequence[ListedSegment], folder: Path
) -> Path:
    path = folder / "plain.ts"
    with path.open("wb") as file:
        for segment in segments:
            key = shelf.keys.read(recording_id, segment.key_number)
            sealed = shelf.storage.read(segment.name)
            try:
                file.write(decrypt(sealed, key=key, iv=bytes.fromhex(segment.iv)))
            except ValueError as damaged:
                raise NoStill("This part of the recording is damaged.") from damaged
    return path
