"""Where the decoding of an MPEG-TS take can begin (ISO/IEC 13818-1).

The take may begin at any packet and at any time stamp; stamps come round again every 26.5 hours.
"""

from dataclasses import dataclass, field

from webinar.media.entrances import Entrance
from webinar.media.matroska import Read

PACKET = 188
SYNC_BYTE = 0x47
READ_BYTES = PACKET * 2500
CLOCK = 90_000
TURN = 1 << 33
STARTS, PID_HIGH = 0x40, 0x1F
PROGRAMMES = 0  # the identity of the packets that name the programmes
PICTURES = frozenset({0x01, 0x02, 0x10, 0x1B, 0x24})
H264 = 0x1B
RANDOM_ACCESS = 0x40
# What begins a picture that needs no other, in H.264: a parameter set or the picture itself.
H264_KEY_UNITS = frozenset({5, 7})


@dataclass
class _Programme:
    """What the tables of the stream said so far."""

    tables: bytes = b""
    map_id: int = -1
    picture_id: int = -1
    picture_kind: int = 0
    sound_id: int = -1
    names: bytes = field(default=b"", repr=False)


class TransportWalk:
    """Walks as far as the take has come; call `go_on` again when it has grown."""

    wrap_seconds = TURN / CLOCK

    def __init__(self) -> None:
        self.entrances: list[Entrance] = []
        self.zero: float | None = None  # of the medium's clock: its first keyframe
        # Bytes from which on the programme is another: other codecs or other tracks.
        self.changes: list[int] = []
        self._programme = _Programme()
        self._at = 0
        self._last: int | None = None

    @property
    def at(self) -> int:
        """The byte that is looked at next."""
        return self._at

    def go_on(self, read: Read, end: int) -> None:
        """Walk on to byte `end`, where whole media ends at present."""
        while end - self._at >= PACKET:
            wanted = min(READ_BYTES, (end - self._at) // PACKET * PACKET)
            data = read(self._at, wanted)
            for offset in _starting(data):
                self._look(data[offset : offset + PACKET], self._at + offset)
            self._at += len(data)

    def leap(self, read: Read, over: int, end: int) -> bool:
        """Go on at the first whole packet after a hole; False if none is there."""
        # A writer appends whole packets: a hole is one or more of what it wrote at once.
        self._at = -(-over // PACKET) * PACKET
        return end - self._at >= PACKET

    def _look(self, packet: bytes, offset: int) -> None:
        identity = (packet[1] & PID_HIGH) << 8 | packet[2]
        programme = self._programme
        if identity == PROGRAMMES:
            payload = _payload(packet)
            section = payload[1 + payload[0] :] if payload else b""
            if len(section) >= 12:
                programme.names = packet
                programme.map_id = (section[10] & PID_HIGH) << 8 | section[11]
        elif identity == programme.map_id:
            self._learn(packet, offset)
        elif identity == programme.picture_id:
            self._note_time(packet, offset, is_key=self._is_key(packet))
        elif identity == programme.sound_id and programme.picture_id < 0:
            self._note_time(packet, offset, is_key=True)

    def _learn(self, packet: bytes, offset: int) -> None:
        payload = _payload(packet)
        section = payload[1 + payload[0] :] if payload else b""
        tracks = _tracks(section)
        if not tracks:
            return
        programme = self._programme
        before = programme.tables and _tracks_of(programme.tables)
        if before and before != tracks:
            self.changes.append(offset)
        programme.tables = packet
        pictures = [(kind, pid) for kind, pid in tracks if kind in PICTURES]
        sounds = [pid for kind, pid in tracks if kind not in PICTURES]
        programme.picture_kind, programme.picture_id = pictures[0] if pictures else (0, -1)
        programme.sound_id = sounds[0] if sounds else -1

    def _is_key(self, packet: bytes) -> bool:
        has_field = packet[3] & 0x20 and packet[4] > 0
        if has_field and packet[5] & RANDOM_ACCESS:
            return True
        if self._programme.picture_kind != H264:
            return False
        payload = _payload(packet)
        at = payload.find(b"\x00\x00\x01", 9)
        while 0 <= at < len(payload) - 3:
            if payload[at + 3] & 0x1F in H264_KEY_UNITS:
                return True
            at = payload.find(b"\x00\x00\x01", at + 3)
        return False

    def _note_time(self, packet: bytes, offset: int, *, is_key: bool) -> None:
        payload = _payload(packet)
        if len(payload) < 14 or payload[:3] != b"\x00\x00\x01" or not payload[7] & 0x80:
            return
        stamp = (
            (payload[9] >> 1 & 0x07) << 30
            | payload[10] << 22
            | (payload[11] >> 1) << 15
            | payload[12] << 7
            | payload[13] >> 1
        )
        if self._last is not None:
            turn = TURN // 2
            stamp = self._last + (stamp - self._last + turn) % TURN - turn
        self._last = stamp
        if is_key:
            if self.zero is None:
                self.zero = stamp / CLOCK
            programme = self._programme
            header = programme.names + programme.tables
            self.entrances.append(Entrance(offset, stamp / CLOCK, header))


def _starting(data: bytes) -> list[int]:
    """Offsets of the packets in which a table or a frame begins."""
    flags = data[1::PACKET]
    return [n * PACKET for n, flag in enumerate(flags) if flag & STARTS]


def _payload(packet: bytes) -> bytes:
    if packet[0] != SYNC_BYTE or not packet[3] & 0x10:
        return b""
    return packet[5 + packet[4] :] if packet[3] & 0x20 else packet[4:]


def _tracks_of(packet: bytes) -> list[tuple[int, int]]:
    payload = _payload(packet)
    return _tracks(payload[1 + payload[0] :]) if payload else []


def _tracks(section: bytes) -> list[tuple[int, int]]:
    """Kind and identity of the tracks in a programme map that fits into one packet."""
    if len(section) < 16 or section[0] != 2:
        return []
    end = min(len(section), 3 + ((section[1] & 0x0F) << 8 | section[2]) - 4)
    at = 12 + ((section[10] & 0x0F) << 8 | section[11])
    tracks = []
    while at + 5 <= end:
        tracks.append((section[at], (section[at + 1] & PID_HIGH) << 8 | section[at + 2]))
        at += 5 + ((section[at + 3] & 0x0F) << 8 | section[at + 4])
    return tracks
