"""A rehearsal's bytes: what is sent, and a plain sliding HLS of it in a private folder.

Nothing of it is encrypted, kept or ever near a recording: all of it is deleted at the end.
"""

import re
import shutil
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import IO

from webinar.domain.errors import NotFound
from webinar.media.durable import make_folder
from webinar.media.ffmpeg import QUIET, SAFE_INPUT, NotAVideo, command, streams_of
from webinar.media.takes import TakeStore

PLAYLIST = "live.m3u8"
NAME = re.compile(r"live\.m3u8|[0-9]{6}\.ts")
REHEARSAL_ID = re.compile(r"[a-f0-9]{8,24}")
LISTED_SEGMENTS = 8
LOOK_AGAIN_SECONDS = 0.2
STOP_SECONDS = 5.0


class RehearsalRooms:
    """All rehearsals of an installation. Holds no state."""

    def __init__(self, data_dir: Path) -> None:
        self.root = data_dir / "rehearsals"
        self.takes = TakeStore(self.root)

    def picture(self, rehearsal_id: str, name: str) -> bytes:
        """The playlist or a segment; raises NotFound."""
        if NAME.fullmatch(name) is None:
            raise NotFound("There is no such file.")
        try:
            return (self.folder(rehearsal_id) / name).read_bytes()
        except FileNotFoundError as missing:
            raise NotFound("The picture of this rehearsal is not there yet.") from missing

    def has_picture(self, rehearsal_id: str) -> bool:
        """True once there is something to play."""
        return (self.folder(rehearsal_id) / PLAYLIST).exists()

    def delete(self, rehearsal_id: str) -> None:
        """Delete all of it; not there is fine."""
        self.takes.delete_broadcast(rehearsal_id)
        shutil.rmtree(self.folder(rehearsal_id), ignore_errors=True)

    def folder(self, rehearsal_id: str) -> Path:
        """Where its picture lies."""
        if REHEARSAL_ID.fullmatch(rehearsal_id) is None:
            raise NotFound("There is no such rehearsal.")
        return self.root / "pictures" / rehearsal_id


def show(rooms: RehearsalRooms, rehearsal_id: str, *, is_over: Callable[[], bool]) -> None:
    """Make the picture of every take as it grows, until it is over. Takes that are none are left.

    `is_over` is asked several times a second; it may raise to leave at once.
    """
    make_folder(rooms.folder(rehearsal_id), mode=0o700)
    number = 0
    while not is_over():
        begun = rooms.takes.takes(rehearsal_id)
        if number in begun:
            _show_take(rooms, rehearsal_id, number, is_over)
        if number + 1 in rooms.takes.takes(rehearsal_id):
            number += 1
        else:
            time.sleep(LOOK_AGAIN_SECONDS)


def _show_take(
    rooms: RehearsalRooms, rehearsal_id: str, number: int, is_over: Callable[[], bool]
) -> None:
    def is_followed() -> bool:
        return number + 1 in rooms.takes.takes(rehearsal_id)

    try:
        arguments = _arguments(rooms.takes.path(rehearsal_id, number), rooms.folder(rehearsal_id))
    except NotAVideo:
        return
    process = subprocess.Popen(
        command([*QUIET, "-y", *arguments]), stdin=subprocess.PIPE, stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )  # fmt: skip
    stdin = process.stdin
    if stdin is None:
        raise ValueError("ffmpeg was started without a pipe")
    try:
        position = 0
        while process.poll() is None and not is_over():
            was_followed = is_followed()
            before = position
            for piece in rooms.takes.follow(rehearsal_id, number, position):
                stdin.write(piece)
                position += len(piece)
            stdin.flush()
            if position == before:
                if was_followed:
                    break
                time.sleep(LOOK_AGAIN_SECONDS)
        _finish(process, stdin)
    except BrokenPipeError:
        return
    finally:
        if process.poll() is None:
            process.kill()
        process.wait(STOP_SECONDS)


def _finish(process: "subprocess.Popen[bytes]", stdin: IO[bytes]) -> None:
    """Let ffmpeg write its last segment, if it does so soon."""
    stdin.close()
    try:
        process.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()


def _arguments(take: Path, folder: Path) -> list[str]:
    found = streams_of(take)
    picture = (
        ["-map", "0:v:0", "-vf", "scale=-2:480,fps=25", "-c:v", "libx264", "-preset", "ultrafast",
         "-tune", "zerolatency", "-pix_fmt", "yuv420p", "-b:v", "900k", "-maxrate", "1200k",
         "-bufsize", "2400k", "-g", "25", "-sc_threshold", "0"]
        if found.video
        else []
    )  # fmt: skip
    sound = (
        ["-map", "0:a:0", "-c:a", "aac", "-b:a", "96k", "-ar", "48000", "-ac", "2"]
        if found.audio
        else []
    )
    flags = "append_list+delete_segments+discont_start+independent_segments+temp_file"
    return [
        *["-fflags", "+genpts", "-analyzeduration", "1000000", *SAFE_INPUT, "-i", "pipe:0"],
        *picture,
        *sound,
        *["-f", "hls", "-hls_time", "1", "-hls_list_size", str(LISTED_SEGMENTS)],
        *["-hls_flags", flags, "-hls_segment_filename", str(folder / "%06d.ts")],
        str(folder / PLAYLIST),
    ]
