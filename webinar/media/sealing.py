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


@dataclass(frozen=True)
class Position:
    """Where to go on: seconds of this take already packaged, and the next segment's number."""

    packaged_seconds: float = 0.0
    next_sequence: int = 0


@dataclass(frozen=True)
class Origin:
    """What the segments of one take share; `started_at` is when it began, by the server's clock."""

    recording_id: str
    take: int
    started_at: datetime
    rendition: Rendition = Rendition.MAIN
    generation: int = 0


@dataclass(frozen=True)
class Placed:
    """A segment that has its number, key and name, and is still to be stored."""

    segment: PackagedSegment
    path: Path
    key: bytes


class SegmentWriter:
    """Encrypts the segments of one take in order, with a new key every `key_seconds` of media."""

    def __init__(
        self,
        storage: Storage,
        keys: KeyStore,
        sink: SegmentSink,
        origin: Origin,
        *,
        start: Position,
        key_seconds: float,
    ) -> None:
        self.position = start
        self._storage = storage
        self._keys = keys
        self._sink = sink
        self._origin = origin
        self._key_seconds = key_seconds
        self._key = b""
        self._key_number = -1
        self._seconds_under_key = 0.0
        self._discontinuity = start.next_sequence > 0

    def mark_discontinuity(self) -> None:
        """The next segment comes from another encoder: its clock begins anew."""
        self._discontinuity = self.position.next_sequence > 0

    def write(self, plain: PlainSegment) -> None:
        """Encrypt, store, forget the plain file, record. Raises KeysDestroyed."""
        if (placed := self.place(plain)) is not None:
            self.record(self.store(placed))

    def place(self, plain: PlainSegment) -> Placed | None:
        """Give the next segment its number, key and name; nothing for a crumb. In order."""
        if plain.duration_seconds < CRUMB_SECONDS:
            plain.path.unlink()
            return None
        self._change_key_when_due(plain.duration_seconds)
        origin, position = self._origin, self.position
        # A worker that lost its lease may still write: it must not hit another's file.
        token = secrets.token_hex(4)
        segment = PackagedSegment(
            sequence=position.next_sequence,
            take=origin.take,
            key_number=self._key_number,
            iv=secrets.token_hex(IV_BYTES),
            duration_seconds=plain.duration_seconds,
            take_offset_seconds=position.packaged_seconds,
            programme_time=origin.started_at + timedelta(seconds=position.packaged_seconds),
            discontinuity=self._discontinuity,
            size=encrypted_size(plain.path.stat().st_size),
            name=(
                f"recordings/{origin.recording_id}/"
                f"{origin.rendition}-{position.next_sequence:06d}-{token}.ts"
            ),
            rendition=origin.rendition,
            generation=origin.generation,
        )
        self._seconds_under_key += plain.duration_seconds
        self._discontinuity = False
        self.position = Position(
            position.packaged_seconds + plain.duration_seconds, position.next_sequence + 1
        )
        return Placed(segment, plain.path, self._key)

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

    def _change_key_when_due(self, seconds: float) -> None:
        if self._key and self._seconds_under_key + seconds <= self._key_seconds:
            return
        # The highest number in the store and one: a key made just before a crash is passed over.
        self._key_number = max(self._keys.numbers(self._origin.recording_id), default=-1) + 1
        self._key = self._keys.create(self._origin.recording_id, self._key_number)
        self._seconds_under_key = 0.0


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
