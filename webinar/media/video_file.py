"""What a file from outside is, by its content: a video that is taken, or what else, in words."""

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from webinar.media.ffmpeg import FfmpegFailed, NotAVideo, Probe, exact_duration, video_of

HEAD_BYTES = 4096
EBML = b"\x1a\x45\xdf\xa3"  # RFC 8794, 11.2.1
TRANSPORT_PACKET = 188
# Boxes that films of QuickTime's early days begin with, instead of "ftyp".
OLD_BOXES = frozenset({b"moov", b"mdat", b"wide", b"free", b"skip", b"pnot"})
STILL_BRANDS = frozenset({b"heic", b"heix", b"mif1", b"msf1", b"avif"})
# How much shorter than it says a whole film may be: clocks of sound and picture differ.
SLACK_SECONDS, SLACK_SHARE = 2.0, 0.02

OTHERS = (
    (b"%PDF", "a PDF document"),
    (b"#EXTM3U", "a playlist: a list of addresses, no video"),
    (b"PK\x03\x04", "a ZIP archive or an Office document"),
    (b"\xd0\xcf\x11\xe0", "an old Office document"),
    (b"ID3", "sound only (MP3)"),
    (b"\xff\xfb", "sound only (MP3)"),
    (b"fLaC", "sound only (FLAC)"),
    (b"OggS", "an Ogg file"),
    (b"\xff\xd8\xff", "a picture (JPEG)"),
    (b"\x89PNG", "a picture (PNG)"),
    (b"GIF8", "a picture (GIF)"),
    (b"FLV", "a Flash video"),
    (b"\x30\x26\xb2\x75", "a Windows Media video"),
    (b"\x00\x00\x01\xba", "an MPEG-2 video"),
    (b"MZ", "a program"),
    (b"\x7fELF", "a program"),
)
TAKEN = "Videos are taken as MP4, MKV, MOV or WebM. Export it as MP4 and choose that."


class Container(StrEnum):
    """The kinds of file that are taken."""

    MP4 = "MP4"
    MOV = "MOV"
    MKV = "MKV"
    WEBM = "WebM"


@dataclass(frozen=True)
class VideoFile:
    """A video that was read to its end without decoding it."""

    container: Container
    probe: Probe

    @property
    def words(self) -> str:
        """`MP4, 1280 × 720, h264 and aac, 45 min 12 s`."""
        video, audio = self.probe.video, self.probe.audio
        minutes, seconds = divmod(round(self.probe.duration_seconds), 60)
        parts = [str(self.container)]
        if video is not None:
            parts.append(f"{video.width} × {video.height}")
            parts.append(f"{video.codec} and {audio.codec}" if audio else f"{video.codec}, silent")
        parts.append(f"{minutes} min {seconds} s" if minutes else f"{seconds} s")
        return ", ".join(parts)


def container_of(path: Path) -> Container:
    """By the first few kilobytes; raises NotAVideo with what was found instead."""
    with path.open("rb") as file:
        head = file.read(HEAD_BYTES)
    if not head:
        raise NotAVideo("The file is empty. Please choose the video again.")
    if head.startswith(EBML):
        return Container.WEBM if b"webm" in head[:64] else Container.MKV
    if head[4:8] == b"ftyp":
        brand = head[8:12]
        if brand in STILL_BRANDS:
            raise _refusal("a picture (HEIC or AVIF)")
        return Container.MOV if brand == b"qt  " else Container.MP4
    if head[4:8] in OLD_BOXES:
        return Container.MOV
    raise _refusal(_kind_of(head))


def checked_video(path: Path) -> VideoFile:
    """Look at the content, then read all of it once; raises NotAVideo in words for people.

    What is no video is refused after a few kilobytes, however large it is.
    """
    container = container_of(path)
    try:
        stated = video_of(path)
    except NotAVideo as nothing:
        raise NotAVideo(f"It begins like {container}. {nothing}") from nothing
    broken = NotAVideo(
        f"The {container} file is broken: it cannot be read to its end. Please export it again."
    )
    try:
        seconds = exact_duration(path)
    except FfmpegFailed as failure:
        raise broken from failure
    if seconds <= 0:
        raise broken
    missing = stated.duration_seconds - seconds
    if missing > max(SLACK_SECONDS, stated.duration_seconds * SLACK_SHARE):
        raise NotAVideo(
            f"The {container} file is broken: it says it lasts {stated.duration_seconds:.0f} s, "
            f"but ends after {seconds:.0f} s. Please export it again, or copy it anew."
        )
    probe = Probe(seconds, stated.kilobits_per_second, stated.video, stated.audio)
    return VideoFile(container, probe)


def _refusal(what: str) -> NotAVideo:
    return NotAVideo(f"This is not a video that can be taken: the file is {what}. {TAKEN}")


def _kind_of(head: bytes) -> str:
    for start, words in OTHERS:
        if head.startswith(start):
            return words
    if not head.strip(b"\0"):
        return "nothing but zeros"
    if head.startswith(b"RIFF"):
        return "sound only (WAV)" if head[8:12] == b"WAVE" else "an AVI video"
    packets = head[: 3 * TRANSPORT_PACKET : TRANSPORT_PACKET]
    if len(packets) == 3 and set(packets) == {0x47}:
        return "an MPEG transport stream"
    try:
        head[: HEAD_BYTES - 3].decode()
    except UnicodeDecodeError:
        return "of no kind that is known here"
    return "text"
