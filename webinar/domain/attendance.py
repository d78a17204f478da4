"""Beats into accepted evidence into coverage: what a player may claim, and what of it counts.

A play segment is a stretch played without pause, seek, stall or change of rate. Its seconds
are those of the media for a recording (from 0) and of programme time, which is Unix time, for
a live session: the viewer's own clock never enters.
"""

import base64
import binascii
import hmac
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from functools import lru_cache
from math import floor, isfinite
from struct import Struct
from typing import ClassVar

from webinar.domain.errors import DomainError
from webinar.domain.span import Span, clip, union

MAX_SEGMENTS = 64
"""Segments in one beat; a player touches one or two between beats."""
MAX_SEGMENT_NUMBER = 5_000
ALLOWED_RATE = 2.0
"""Media seconds per second of the server's clock: the fastest playback offered."""
SLACK_SECONDS = 10.0
"""What a player may be ahead of the server: a buffer, a beat on its way."""
LIVE_CATCH_UP_SECONDS = 30.0
"""A live picture runs at the speed of time; who was behind catches up by this much at most."""
EDGE_SECONDS = 2.0
"""How far a report may overshoot the window's borders, which players round differently."""
BRIDGE_SECONDS = 1.0
"""A gap shorter than this between consecutive segments of one pass is no gap."""

RECORDED_PASS_LASTS = timedelta(days=7)
"""An open page takes another pass then, so that evidence of long windows is complete in time."""

LIVE_BEHIND_SECONDS = 120.0
"""How far behind the present a live picture may be: sending, packaging, the player's buffer."""

# Version, mode, pass id, person, session, issued, expires (both in microseconds), window.
# 66 bytes and 18 of signature: a multiple of three, so that base64 has no padding to play with.
_LAYOUT = Struct(">BB16sQQQQQQ")
_VERSION = 1
_SIGNATURE_BYTES = 18
_PURPOSE = b"viewing pass\x00"
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_FORGED = "This viewing pass is not ours; load the page again to get a new one."


class ViewingMode(StrEnum):
    """Present while it happened, watched afterwards, or presented. Credit for one never serves
    another, and nobody views as faculty: what they presented is confirmed by hand."""

    FACULTY = "faculty"
    LIVE = "live"
    RECORDED = "recorded"


class BeatRefused(DomainError):
    """A beat claims what cannot be true. `code` is for the player, the message for people."""

    code: ClassVar[str] = "refused"


class MalformedBeat(BeatRefused):
    """The segments are not a list of [number, from, to]."""

    code = "malformed"


class TooManySegments(BeatRefused):
    """More segments than a player can touch between two beats."""

    code = "too_many_segments"


class OutsideWindow(BeatRefused):
    """A segment lies outside the media, or outside the live window."""

    code = "outside"


class NotYetHappened(BeatRefused):
    """A live segment reaches beyond the present."""

    code = "future"


class FasterThanTime(BeatRefused):
    """More was claimed than can be played since the pass was issued."""

    code = "too_fast"


class PassRefused(DomainError):
    """A viewing pass that does not hold. `code` is for the player, the message for people."""

    status = 403
    code: ClassVar[str] = "pass_refused"


class ForgedPass(PassRefused):
    """The text is not a pass of ours, or not as we signed it."""

    code = "pass_forged"


class ExpiredPass(PassRefused):
    """The pass was ours and its time is over."""

    code = "pass_expired"


_MODES = (ViewingMode.LIVE, ViewingMode.RECORDED)


@dataclass(frozen=True, kw_only=True)
class PassFacts:
    """What a viewing pass says: one person, one session, one page load."""

    pass_id: str
    user_id: int
    session_id: int
    mode: ViewingMode
    issued_at: datetime
    expires_at: datetime
    window: Span[int]
    """Seconds that may be claimed: [0, length) of a recording, Unix seconds of a live session."""


@dataclass(frozen=True)
class PlaySegment:
    """One stretch as the player counts them within a page load."""

    number: int
    start: float
    end: float


@dataclass(frozen=True)
class SegmentRow:
    """A segment as stored, with the server's times of the first and the last beat about it."""

    segment: PlaySegment
    first_seen_at: datetime
    last_seen_at: datetime


def pass_id_from(random_bytes: bytes) -> str:
    """The id of a page load: 16 random bytes as base64url, 22 characters."""
    if len(random_bytes) != 16:
        raise ValueError("a pass id takes 16 random bytes")
    return base64.urlsafe_b64encode(random_bytes).rstrip(b"=").decode()


def sign_pass(secret: bytes, facts: PassFacts) -> str:
    """The pass as 112 characters of base64url; 144 bits of HMAC-SHA256 close it."""
    payload = _LAYOUT.pack(
        _VERSION,
        _MODES.index(facts.mode),
        base64.urlsafe_b64decode(facts.pass_id + "=="),
        facts.user_id,
        facts.session_id,
        (facts.issued_at - _EPOCH) // _MICROSECOND,
        (facts.expires_at - _EPOCH) // _MICROSECOND,
        facts.window.start,
        facts.window.end,
    )
    return base64.urlsafe_b64encode(payload + _signature(secret, payload)).decode()


def beats_end_at(mode: ViewingMode, issued_at: datetime, expires_at: datetime) -> datetime:
    """From then on no beat is taken under the pass. `expires_at` is the end of the window."""
    if mode is ViewingMode.RECORDED:
        return min(expires_at, issued_at + RECORDED_PASS_LASTS)
    return expires_at


def read_pass(secret: bytes, token: str, *, now: datetime) -> PassFacts:
    """What the pass says, or ForgedPass, or ExpiredPass from `beats_end_at` on."""
    try:
        signed = base64.b64decode(token, altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        raise ForgedPass(_FORGED) from None
    payload, signature = signed[:-_SIGNATURE_BYTES], signed[-_SIGNATURE_BYTES:]
    if not hmac.compare_digest(signature, _signature(secret, payload)):
        raise ForgedPass(_FORGED)
    if len(payload) != _LAYOUT.size or payload[0] != _VERSION:
        raise ForgedPass(_FORGED)
    _, mode, pass_id, user_id, session_id, issued, expires, start, end = _LAYOUT.unpack(payload)
    issued_at = _EPOCH + timedelta(microseconds=issued)
    expires_at = _EPOCH + timedelta(microseconds=expires)
    if now >= beats_end_at(_MODES[mode], issued_at, expires_at):
        raise ExpiredPass("This viewing pass is no longer valid; load the page again to go on.")
    return PassFacts(
        pass_id=pass_id_from(pass_id),
        user_id=user_id,
        session_id=session_id,
        mode=_MODES[mode],
        issued_at=issued_at,
        expires_at=expires_at,
        window=Span(start, end),
    )


def most_played(mode: ViewingMode, elapsed: float, allowed_rate: float) -> float:
    """Seconds of media that can have been played in so many seconds of the server's clock."""
    most = max(elapsed, 0.0) * allowed_rate + SLACK_SECONDS
    if mode is ViewingMode.LIVE:
        return min(most, max(elapsed, 0.0) + LIVE_CATCH_UP_SECONDS)
    return most


def check_beat(
    facts: PassFacts, segments: object, *, now: datetime, allowed_rate: float = ALLOWED_RATE
) -> list[PlaySegment]:
    """The beat's segments, cut to the window; raises a BeatRefused that says what is wrong.

    A live picture cannot be wound back: what was on air before the page came does not count.

    `segments` is what the player sent: a list of [number, from, to]. Empty is fine: a beat
    may just ask how late it is.
    """
    if not isinstance(segments, list):
        raise MalformedBeat("The segments must be a list of [number, from, to].")
    if len(segments) > MAX_SEGMENTS:
        raise TooManySegments(
            f"A beat carries at most {MAX_SEGMENTS} segments; send the rest later."
        )
    elapsed = (now - facts.issued_at).total_seconds()
    can_have_played = most_played(facts.mode, elapsed, allowed_rate)
    earliest, latest = float(facts.window.start), float(facts.window.end)
    if facts.mode is ViewingMode.LIVE:
        earliest = max(earliest, facts.issued_at.timestamp() - LIVE_BEHIND_SECONDS)
        latest = min(latest, now.timestamp() + SLACK_SECONDS)
    checked = []
    claimed = 0.0
    for raw in segments:
        segment = _read_segment(raw)
        if segment.start < facts.window.start - EDGE_SECONDS:
            raise OutsideWindow("A segment begins before the window of this pass.")
        if segment.end > facts.window.end + EDGE_SECONDS:
            raise OutsideWindow("A segment ends after the window of this pass.")
        if segment.end > latest + EDGE_SECONDS:
            raise NotYetHappened("A segment reaches into the future.")
        claimed += segment.end - segment.start
        start = min(max(segment.start, earliest), latest)
        end = min(max(segment.end, start), latest)
        checked.append(PlaySegment(segment.number, start, end))
    if claimed > can_have_played:
        raise FasterThanTime(
            f"{claimed:.0f} seconds were claimed, {can_have_played:.0f} can have been played."
        )
    return checked


def accepted_segments(
    facts: PassFacts, rows: Iterable[SegmentRow], *, allowed_rate: float = ALLOWED_RATE
) -> list[Span[float]]:
    """What of one pass counts as played, in the order in which the server heard of it.

    Gaps under BRIDGE_SECONDS between consecutive numbers are closed. At each row, what the
    pass has claimed so far (bridges included) is held against the time since its issue; what
    is over is cut off the row's end.
    """
    accepted: list[Span[float]] = []
    used = 0.0
    before: PlaySegment | None = None
    for row in sorted(rows, key=lambda row: (row.first_seen_at, row.segment.number)):
        segment = row.segment
        start = segment.start
        if before is not None and _follows(before, segment):
            start = before.end
        before = segment
        elapsed = (row.last_seen_at - facts.issued_at).total_seconds()
        left = most_played(facts.mode, elapsed, allowed_rate) - used
        end = min(segment.end, start + left)
        if end <= start:
            continue
        used += end - start
        accepted.append(Span(start, end))
    return accepted


def evidence_in(window: Span[int], spans: Iterable[Span[float]]) -> tuple[Span[int], ...]:
    """The union of all passes and devices inside the window, in whole seconds.

    The total is the exact total rounded down once, not once a stretch: the lengths are the
    differences of the running total, so that a hundred short stretches lose less than one second.
    """
    inside = union(clip(spans, Span(float(window.start), float(window.end))))
    whole = []
    total = 0.0
    for span in inside:
        counted = floor(total)
        total += span.end - span.start
        start = floor(span.start)
        if floor(total) > counted:
            whole.append(Span(start, start + floor(total) - counted))
    return tuple(whole)


def coverage(window: Span[int], spans: Iterable[Span[float]]) -> int:
    """Whole seconds of the window covered at least once, by any device, rounded down once."""
    inside = clip(spans, Span(float(window.start), float(window.end)))
    return floor(sum(span.end - span.start for span in union(inside)))


def _signature(secret: bytes, payload: bytes) -> bytes:
    signing = _signer(secret).copy()
    signing.update(payload)
    return signing.digest()[:_SIGNATURE_BYTES]


@lru_cache(maxsize=8)
def _signer(secret: bytes) -> hmac.HMAC:
    # hmac.digest is shorter, but lets other threads in between (decision 22: inferred, not shown).
    return hmac.new(secret, _PURPOSE, "sha256")


def _read_segment(raw: object) -> PlaySegment:
    if not isinstance(raw, list) or len(raw) != 3:
        raise MalformedBeat("A segment must be [number, from, to].")
    number, start, end = raw
    if type(number) is not int or not 0 <= number <= MAX_SEGMENT_NUMBER:
        raise MalformedBeat("A segment's number must be a small whole number.")
    if not _is_second(start) or not _is_second(end):
        raise MalformedBeat("A segment's from and to must be seconds.")
    if end < start:
        raise MalformedBeat("A segment cannot end before it starts.")
    return PlaySegment(number, float(start), float(end))


def _is_second(value: object) -> bool:
    # bool is an int, and an int may be too large for a float.
    if type(value) is float:
        return isfinite(value) and 0 <= value < 1e11
    return type(value) is int and 0 <= value < 10**11


def _follows(before: PlaySegment, segment: PlaySegment) -> bool:
    gap = segment.start - before.end
    return segment.number == before.number + 1 and 0 < gap < BRIDGE_SECONDS
