"""Where the decoding of a WebM or Matroska take can begin (RFC 8794, RFC 9559).

Walks over the elements without reading the media in them: a recorder's file has no index, and its
clusters may be of unknown size.
"""

import struct
from collections.abc import Callable

from webinar.media.entrances import Entrance

Read = Callable[[int, int], bytes]

SEGMENT, CLUSTER, TRACKS, TRACK, INFO = 0x18538067, 0x1F43B675, 0x1654AE6B, 0xAE, 0x1549A966
BLOCK_GROUP, BLOCK, SIMPLE_BLOCK, TIMESTAMP = 0xA0, 0xA1, 0xA3, 0xE7
TIMESTAMP_SCALE, TRACK_NUMBER, TRACK_TYPE = 0x2AD7B1, 0xD7, 0x83
OPENED = frozenset({SEGMENT, CLUSTER, TRACKS, TRACK, INFO, BLOCK_GROUP})
CLUSTER_ID = CLUSTER.to_bytes(4)
VIDEO, SOUND = 1, 2
KEYFRAME = 0x80
HEAD_BYTES = 24  # id, size, and what is looked at of the content
SEARCH_BYTES = 1 << 20
# A sound that pauses for longer is no longer waited for.
SILENT_SECONDS = 2.0


class MatroskaWalk:
    """Walks as far as the take has come; call `go_on` again when it has grown."""

    wrap_seconds = 0.0

    def __init__(self) -> None:
        self.entrances: list[Entrance] = []
        self.zero: float | None = None  # of the medium's clock: its first picture or sound
        # Which kinds of tracks really send, from which byte on.
        self.sending: list[tuple[int, frozenset[int]]] = [(0, frozenset())]
        self._last: dict[int, float] = {}
        self.header_end = 0  # where the first cluster begins
        self._at = 0
        self._scale = 1_000_000
        self._number = 0
        self._kinds: dict[int, int] = {}
        self._cluster = -1
        self._cluster_time = 0
        self._has_entrance = False

    def go_on(self, read: Read, end: int) -> None:
        """Walk on to byte `end`, where whole media ends at present."""
        while self._at < end:
            head = read(self._at, min(HEAD_BYTES, end - self._at))
            parsed = _element(head)
            if parsed is None:
                return
            identity, size, content = parsed
            if identity == CLUSTER:
                self.header_end = self.header_end or self._at
                self._cluster, self._has_entrance = self._at, False
            if identity in OPENED:
                self._at += content
                continue
            wanted = content + min(size or 0, 8)
            if len(head) < wanted and len(head) < HEAD_BYTES:
                return  # the rest of it is still to come
            self._look(identity, head[content : content + min(size or 0, 12)])
            self._at += content + (size or 0)

    def leap(self, read: Read, over: int, end: int) -> bool:
        """Go on at the first cluster after a hole that ends at `over`; False if none is there."""
        at = over
        while at < end:
            found = read(at, min(SEARCH_BYTES, end - at)).find(CLUSTER_ID)
            if found >= 0:
                self._at = at + found
                return True
            at += SEARCH_BYTES - len(CLUSTER_ID)
        return False

    @property
    def at(self) -> int:
        """The byte that is looked at next."""
        return self._at

    @property
    def announced(self) -> frozenset[int]:
        """The kinds of tracks in the header, pictures and sound."""
        return frozenset(self._kinds.values()) & {VIDEO, SOUND}

    def _note_sending(self, kind: int, seconds: float) -> None:
        """A sound that stops or comes late; a picture may well stand still for a while."""
        self._last[kind] = seconds
        offset, sending = self.sending[-1]
        now = sending | {kind}
        if kind == VIDEO and seconds - self._last.get(SOUND, seconds) > SILENT_SECONDS:
            now -= {SOUND}
        if now == sending:
            return
        if seconds - (self.zero or 0.0) < SILENT_SECONDS:
            self.sending[-1] = (offset, now)
        else:
            self.sending.append((self._cluster, now))

    def _look(self, identity: int, content: bytes) -> None:
        if identity == TIMESTAMP_SCALE:
            self._scale = int.from_bytes(content)
        elif identity == TRACK_NUMBER:
            self._number = int.from_bytes(content)
        elif identity == TRACK_TYPE:
            self._kinds[self._number] = int.from_bytes(content)
        elif identity == TIMESTAMP:
            self._cluster_time = int.from_bytes(content)
        elif identity in (SIMPLE_BLOCK, BLOCK) and content:
            self._look_at_block(identity, content)

    def _look_at_block(self, identity: int, content: bytes) -> None:
        track, used = _number(content, keep_marker=False)
        kind = self._kinds.get(track)
        if kind not in (VIDEO, SOUND) or len(content) < used + 3:
            return
        (delta,) = struct.unpack_from(">h", content, used)
        seconds = (self._cluster_time + delta) * self._scale / 1e9
        if self.zero is None:
            self.zero = seconds
        self._note_sending(kind, seconds)
        opens = VIDEO if VIDEO in self._kinds.values() else SOUND
        # In a group the flag is another; only simple blocks say that they are keyframes.
        is_key = kind == SOUND or (identity == SIMPLE_BLOCK and content[used + 2] & KEYFRAME)
        if kind == opens and is_key and not self._has_entrance and self._cluster >= 0:
            self.entrances.append(Entrance(self._cluster, seconds))
            self._has_entrance = True


def _element(head: bytes) -> tuple[int, int | None, int] | None:
    """Its identity, size (None: unknown) and where its content begins; None if it is torn."""
    if not head:
        return None
    identity, used = _number(head, keep_marker=True)
    if not used or len(head) <= used:
        return None
    size, length = _number(head[used:], keep_marker=False)
    if not length:
        return None
    unknown = size == (1 << (7 * length)) - 1
    return identity, None if unknown else size, used + length


def _number(data: bytes, *, keep_marker: bool) -> tuple[int, int]:
    """A number of variable length and how many bytes it took; 0 bytes if it is torn."""
    length = 9 - data[0].bit_length()
    if length > 8 or len(data) < length:
        return 0, 0
    value = int.from_bytes(data[:length])
    return (value if keep_marker else value & ((1 << (7 * length)) - 1)), length
