"""Caption files of others, WebVTT or SRT: checked line by line, read without markup."""

import codecs
import io
import re
from dataclasses import dataclass
from html import unescape

import webvtt
from webvtt.errors import MalformedCaptionError, MalformedFileError

from webinar.domain.captions import MOST_CUES, BadCaptions, Cue, in_order, tidy_text

LARGEST_FILE = 4 * 1024 * 1024

_TIME = r"(?:(\d{1,3}):)?(\d{1,2}):(\d{1,2})[.,](\d{1,3})"
_TIMING = re.compile(rf"\s*{_TIME}[ \t]+-->[ \t]+{_TIME}(?:[ \t].*)?\s*")
_LOOKS_TIMED = re.compile(r"\s*\d+:\d+(?::\d+)?[.,]\d+\s*(?:-+>|=+>|→|–>|,|$)")
_MARKS = {
    codecs.BOM_UTF8: "utf-8-sig",
    codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
}
_ENCODING_WORDS = {"utf-8": "UTF-8", "utf-8-sig": "UTF-8", "cp1252": "Latin-1 (Windows)"}


@dataclass(frozen=True)
class CaptionFile:
    """What was read: cues by their beginning, and of what the file was."""

    cues: tuple[Cue, ...]
    kind: str
    encoding: str


def read_captions(data: bytes) -> CaptionFile:
    """The cues of a file, its kind told by its content. Raises BadCaptions, naming the line."""
    if len(data) > LARGEST_FILE:
        raise BadCaptions(
            f"A caption file has at most {LARGEST_FILE // (1024 * 1024)} MB. Is it a video?"
        )
    text, encoding = _decoded(data)
    lines = text.splitlines()
    first = next((line.strip() for line in lines if line.strip()), "")
    is_webvtt = first.split()[:1] == ["WEBVTT"]
    if not is_webvtt and "-->" not in text:
        raise BadCaptions(
            "This is neither WebVTT nor SRT: no line in it says when words are shown. "
            "Export the captions as .vtt or .srt."
        )
    _check_lines(lines)
    kind = "WebVTT" if is_webvtt else "SRT"
    try:
        parsed = webvtt.from_buffer(io.StringIO("\n".join(lines)), format=kind[-3:].lower())
    except (MalformedFileError, MalformedCaptionError) as broken:
        raise BadCaptions(
            f"The file cannot be read as {kind}. It begins with “{first[:40]}”; export it again."
        ) from broken
    cues = []
    for caption in parsed.captions:
        words = tidy_text(unescape(caption.text))
        if words:
            cues.append(Cue(_ms(caption.start), _ms(caption.end), words))
    if not cues:
        raise BadCaptions("There are no words in this file.")
    return CaptionFile(in_order(cues), kind, encoding)


def _decoded(data: bytes) -> tuple[str, str]:
    mark = next((mark for mark in _MARKS if data.startswith(mark)), None)
    tries = [_MARKS[mark]] if mark else ["utf-8", "cp1252"]
    if not mark and b"\0" in data[:200]:
        # Without a mark at its head, but every other byte of plain words is nothing.
        tries = ["utf-16-le" if data[1:2] == b"\0" else "utf-16-be"]
    for encoding in tries:
        try:
            text = data.decode(encoding)
        except UnicodeDecodeError:
            continue
        if "\0" not in text:
            return text, _ENCODING_WORDS.get(encoding, "UTF-16")
    raise BadCaptions("This is no text file. Export the captions as .vtt or .srt, in UTF-8.")


def _check_lines(lines: list[str]) -> None:
    timings = 0
    for number, line in enumerate(lines, start=1):
        if "-->" not in line:
            if _LOOKS_TIMED.match(line):
                raise BadCaptions(
                    f"Line {number} is no timing: “{line.strip()[:60]}”. "
                    "It should read like 00:01:02.500 --> 00:01:05.000."
                )
            continue
        timings += 1
        if timings > MOST_CUES:
            raise BadCaptions(
                f"There are more than {MOST_CUES} captions in this file; one evening has fewer."
            )
        found = _TIMING.fullmatch(line)
        if found is None:
            raise BadCaptions(
                f"Line {number} is no timing: “{line.strip()[:60]}”. "
                "It should read like 00:01:02.500 --> 00:01:05.000."
            )
        numbers = [int(group or 0) for group in found.groups()]
        if any(value >= 60 for value in (*numbers[1:3], *numbers[5:7])):
            raise BadCaptions(f"Line {number} has more than 59 minutes or seconds: “{line[:60]}”.")
        if tuple(numbers[:3]) > tuple(numbers[4:7]):
            raise BadCaptions(f"Line {number} ends before it begins: “{line.strip()[:60]}”.")


def _ms(stamp: str) -> int:
    hours, minutes, seconds = stamp.split(":")
    return (int(hours) * 60 + int(minutes)) * 60_000 + round(float(seconds) * 1000)
