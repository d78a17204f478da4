"""Answers of BigBlueButton, read with suspicion: no DOCTYPE, no entities."""

from collections.abc import Iterator
from xml.etree import ElementTree
from xml.etree.ElementTree import Element

from webinar.domain.rooms import RemoteRecording, RoomMissing, RoomTrouble

NOT_FOUND = frozenset({"notFound", "noRecordings"})
LONGEST_NAME = 120
VIDEO_FILE = "video-0.m4v"  # what the server's "video" format calls its one file
VIDEO_ENDINGS = (".m4v", ".mp4", ".webm")
READY = frozenset({"published", "unpublished"})


def parsed(body: bytes) -> Element:
    """The root of the answer; raises RoomTrouble for what is no plain XML."""
    try:
        text = body.decode("utf-8")
    except UnicodeDecodeError:
        raise RoomTrouble("BigBlueButton sent something that is no text.") from None
    # Declared entities can grow without end or read files; the specification needs none.
    if "<!DOCTYPE" in text.upper() or "<!ENTITY" in text.upper():
        raise RoomTrouble("BigBlueButton sent XML with declarations in it; it was not read.")
    try:
        return ElementTree.fromstring(text)  # noqa: S314 -- what makes it dangerous was refused
    except (ElementTree.ParseError, ValueError):
        raise RoomTrouble("What answered is no BigBlueButton; check WEBINAR_BBB_URL.") from None


def succeeded(body: bytes) -> Element:
    """The root of an answer that says SUCCESS; raises RoomMissing, RoomTrouble."""
    root = parsed(body)
    if said(root, "returncode") == "SUCCESS":
        return root
    key, message = said(root, "messageKey"), said(root, "message")[:200]
    if key in NOT_FOUND:
        raise RoomMissing("BigBlueButton does not know this room.")
    if key == "checksumError":
        raise RoomTrouble("BigBlueButton refused our signature; check WEBINAR_BBB_SECRET.")
    raise RoomTrouble(f"BigBlueButton said no: {message or key or 'without a reason'}")


def said(root: Element, name: str) -> str:
    """The text of a child; "" if there is none."""
    return (root.findtext(name) or "").strip()


def attendees(root: Element) -> tuple[str, ...]:
    """By the names we gave them, who is inside."""
    # Ours are short; longer than any column is nobody we know.
    found = (said(one, "userID")[:LONGEST_NAME] for one in root.iterfind("attendees/attendee"))
    return tuple(dict.fromkeys(name for name in found if name))


def recordings(root: Element) -> Iterator[RemoteRecording]:
    """Every recording the answer tells of."""
    for one in root.iterfind("recordings/recording"):
        state = said(one, "state")
        if state == "deleted":
            continue
        yield RemoteRecording(
            remote_id=said(one, "recordID"),
            address=_video_address(one),
            seconds=max(0.0, (_number(one, "endTime") - _number(one, "startTime")) / 1000),
            is_ready=state in READY,
        )


def _video_address(recording: Element) -> str:
    for form in recording.iterfind("playback/format"):
        if said(form, "type") == "video" and (url := said(form, "url")):
            return url if url.endswith(VIDEO_ENDINGS) else f"{url.rstrip('/')}/{VIDEO_FILE}"
    return ""


def _number(root: Element, name: str) -> float:
    text = said(root, name)
    return float(text) if text.isascii() and text.isdigit() and len(text) < 16 else 0.0
