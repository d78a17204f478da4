"""A plain segment in, an encrypted and recorded one out."""

import hashlib
import secrets
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path

from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.ciphers.modes import CBC
from cryptography.hazmat.primitives.padding import PKCS7

from webinar.domain.rendition import Rendition
from webinar.media.encoder import PlainSegment
from webinar.media.keys import KeyStore
from webinar.media.segments import PackagedSegment, SegmentSink
from webinar.media.storage import Storage

IV_BYTES = 16
# What is left of sound when a take is gone over again to its very end: shorter than any picture.
CRUMB_SECONDS = 0.03
TICKS_PER_SECOND = 90_000  # of MPEG-TS


@dataclass(frozen=True)
class Position:
    """Where to go on: seconds of this take already packaged, and the next segment's number."""

    packaged_seconds: float = 0.0
    next_sequence: int = 0


@dataclass(frozen=True)
class Origin:
    """What the segments of one take share.

    `started_at` is when it began, by the server's clock. From there programme time follows the
    take's own clock, a quartz in the speaker's computer: it differs from the server's by at most
    100 parts in a million, 0.4 s in an hour, far below the seconds in which attendance is counted.
    A jump of the server's clock does not reach it; the next take begins where this one ended, or
    later.
    """

    recording_id: str
    take: int
    started_at: datetime
    generation: int = 0


@dataclass(frozen=True)
class Placed:
    """A segment that has its number, key and name, and is still to be stored."""

    segment: PackagedSegment
    path: Path
    key: bytes


class KeyRing:
    """A new key every `key_seconds` of media, the same for all renditions of that time.

    A ring is for one run over one take: whoever goes on after it makes new keys.
    """

    def __init__(self, keys: KeyStore, recording_id: str, key_seconds: float) -> None:
        self._keys = keys
        self._recording_id = recording_id
        self._key_seconds = key_seconds
        self._made: dict[int, tuple[int, bytes]] = {}

    def key_at(self, seconds: float) -> tuple[int, bytes]:
        """Number and key for a segment that begins there; raises KeysDestroyed."""
        # A hair: a border that was summed up from many segments is not missed.
        period = int((seconds + CRUMB_SECONDS) // self._key_seconds)
        if period not in self._made:
            # The highest in the store and one: a key made just before a crash is passed over.
            number = max(self._keys.numbers(self._recording_id), default=-1) + 1
            self._made[period] = (number, self._keys.create(self._recording_id, number))
        return self._made[period]


class SegmentWriter:
    """Encrypts the segments of one rendition of one take, in order."""

    def __init__(
        self,
        storage: Storage,
        ring: KeyRing,
        sink: SegmentSink,
        origin: Origin,
        rendition: Rendition,
        *,
        start: Position,
    ) -> None:
        self.position = start
        self._storage = storage
        self._ring = ring
        self._sink = sink
        self._origin = origin
        self._rendition = rendition
        self._discontinuity = start.next_sequence > 0

    def mark_discontinuity(self) -> None:
        """The next segment comes from another encoder: its clock begins anew."""
        self._discontinuity = self.position.next_sequence > 0

    def skip_to(self, seconds: float) -> None:
        """What lies before this second of the take cannot be had; never back."""
        if seconds > self.position.packaged_seconds:
            self.position = replace(self.position, packaged_seconds=seconds)

    def write(self, plain: PlainSegment) -> None:
        """Encrypt, store, forget the plain file, record. Raises KeysDestroyed."""
        if (placed := self.place(plain)) is not None:
            self.record(self.store(placed))

    def place(self, plain: PlainSegment) -> Placed | None:
        """Give the next segment its number, key and name; nothing for a crumb. In order."""
        if plain.duration_seconds < CRUMB_SECONDS:
            plain.path.unlink()
            return None
        origin, position = self._origin, self.position
        key_number, key = self._ring.key_at(position.packaged_seconds)
        # ffmpeg writes six digits of what is a whole number of ticks: thousands would add up.
        duration_seconds = round(plain.duration_seconds * TICKS_PER_SECOND) / TICKS_PER_SECOND
        # A worker that lost its lease may still write: it must not hit another's file.
        token = secrets.token_hex(4)
        segment = PackagedSegment(
            sequence=position.next_sequence,
            take=origin.take,
            key_number=key_number,
            iv=secrets.token_hex(IV_BYTES),
            duration_seconds=duration_seconds,
            take_offset_seconds=position.packaged_seconds,
            programme_time=origin.started_at + timedelta(seconds=position.packaged_seconds),
            discontinuity=self._discontinuity,
            size=encrypted_size(plain.path.stat().st_size),
            name=(
                f"recordings/{origin.recording_id}/"
                f"{self._rendition}-{position.next_sequence:06d}-{token}.ts"
            ),
            rendition=self._rendition,
            generation=origin.generation,
        )
        self._discontinuity = False
        self.position = Position(
            position.packaged_seconds + duration_seconds, position.next_sequence + 1
        )
        return Placed(segment, plain.path, key)

    def store(self, placed: Placed) -> PackagedSegment:
        """Encrypt, store durably, forget the plain file. Any thread, any order."""
        iv = bytes.fromhex(placed.segment.iv)
        sealed = encrypt(placed.path.read_bytes(), key=placed.key, iv=iv)
        self._storage.put(placed.segment.name, sealed)
        placed.path.unlink()
        return replace(placed.segment, sha256=hashlib.sha256(sealed).hexdigest())

    def record(self, stored: PackagedSegment) -> None:
        """Tell the sink of a stored segment. In order."""
        self._sink(stored)

    def discard(self, placed: Placed) -> None:
        """Delete what was stored and will not be recorded."""
        self._storage.delete(placed.segment.name)


def encrypted_size(plain_bytes: int) -> int:
    """PKCS #7 pads to whole blocks, by at least one byte."""
    block_bytes = AES.block_size // 8
    return (plain_bytes // block_bytes + 1) * block_bytes


def encrypt(plain: bytes, *, key: bytes, iv: bytes) -> bytes:
    """AES-128 in CBC mode with PKCS #7 padding, the whole segment at once (RFC 8216, 4.3.2.4)."""
    padder = PKCS7(AES.block_size).padder()
    encryptor = Cipher(AES(key), CBC(iv)).encryptor()
    padded = padder.update(plain) + padder.finalize()
    return encryptor.update(padded) + encryptor.finalize()
