"""Films whose every picture carries its own number, and the numbers read back from what plays."""

import subprocess
from collections.abc import Iterable, Sequence
from pathlib import Path

from tests.media.films import AS_IT_COMES, H264, OPUS, TONE, Cinema
from webinar.media.ffmpeg import find_ffmpeg, run
from webinar.media.segments import ListedSegment

BITS = 16
AS_FROM_OBS = (*H264, "-g", "50", "-c:a", "aac", "-f", "mpegts")


def counted_film(path: Path, *, seconds: int, width: int = 256, how: Iterable[str] = ()) -> Path:
    """Twenty-five numbers a second, with a tone; WebM as a browser sends it unless told."""
    # Sixteen columns, black or white: the number in binary, the lowest digit at the left.
    digits = f"mod(floor(N/pow(2,floor(X/{width // BITS}))),2)"
    picture = (
        f"color=s={width}x{width // 4}:r=25:d={seconds},geq=lum='16+219*{digits}':cb=128:cr=128"
    )
    sources = ["-f", "lavfi", "-i", picture, "-f", "lavfi", "-i", f"{TONE}:d={seconds}"]
    chosen = list(how) or [*H264, "-g", "50", *OPUS, *AS_IT_COMES]
    run(["-y", *sources, *chosen, str(path)], timeout_seconds=60)
    return path


def numbers_in(source: list[str]) -> list[int]:
    """The numbers of the pictures that a player shows, in order. `source`: ffmpeg's input."""
    done = subprocess.run(
        [
            *(find_ffmpeg(), "-nostats", "-loglevel", "error", *source, "-map", "0:v"),
            *("-vf", f"scale={BITS}:1:flags=area,format=gray", "-fps_mode", "passthrough"),
            *("-f", "rawvideo", "-"),
        ],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        timeout=60,
        check=False,
    )
    pixels = done.stdout
    return [
        sum(1 << bit for bit in range(BITS) if pixels[at + bit] > 128)
        for at in range(0, len(pixels), BITS)
    ]


def numbers_shown(
    cinema: Cinema, recording_id: str, segments: Sequence[ListedSegment]
) -> list[int]:
    """The numbers that a player shows of these segments, through keys and storage."""
    cinema.lay_out(recording_id, segments)
    reader = ["-allowed_extensions", "ALL", "-protocol_whitelist", "file,crypto"]
    return numbers_in([*reader, "-i", str(cinema.playlist)])
