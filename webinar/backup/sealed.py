"""Files that only the holder of a key opens: the age format, as a stream. The home of pyrage.

Whoever knows the recipient can make such a file, nobody can change one: each 64 kB carries a sum
of its own, and the last of them says that it is the last.
"""

import hashlib
import io
import os
import tarfile
import threading
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from pyrage import DecryptError, EncryptError, IdentityError, RecipientError
from pyrage import decrypt_io as unseal
from pyrage import encrypt_io as seal
from pyrage.x25519 import Identity, Recipient

from webinar.domain.errors import DomainError

Identities = Sequence[Identity]
MAGIC = b"age-encryption.org/v1\n"
PIECE = 1024 * 1024


class NoRecipient(DomainError):
    """It is not said for whom to encrypt, or not so that it can be read."""


class NoIdentity(DomainError):
    """The file holds no secret key."""


class WrongIdentity(DomainError):
    """The backup was encrypted for somebody else."""


class DamagedBackup(DomainError):
    """The file is not, to its last byte, what was written."""


# What a reader runs into when the stream ends too early.
STUMBLED = (DamagedBackup, tarfile.TarError, EOFError, ValueError, zlib.error)


@dataclass(frozen=True)
class Sealed:
    """What was written: bytes, and their SHA-256."""

    size: int
    digest: str


def new_identity() -> tuple[str, str]:
    """A new secret key and the recipient it belongs to."""
    identity = Identity.generate()
    return str(identity), str(identity.to_public())


def recipient_of(text: str) -> Recipient:
    """Whom to encrypt for; raises NoRecipient."""
    if not text.strip():
        raise NoRecipient(
            "No backup is taken unencrypted. Make a key with `flask backup identity FILE`, keep "
            "that file elsewhere, and set WEBINAR_BACKUP_RECIPIENT to the public key it prints."
        )
    try:
        return Recipient.from_str(text.strip())
    except RecipientError as wrong:
        raise NoRecipient(
            "WEBINAR_BACKUP_RECIPIENT is no public key of the kind `age1…`. "
            "`flask backup identity FILE` makes one and prints it."
        ) from wrong


def identities_in(path: Path) -> Identities:
    """The secret keys in a file, one a line, beside comments; raises NoIdentity."""
    try:
        lines = path.read_text().splitlines()
    except (OSError, UnicodeDecodeError) as wrong:
        raise NoIdentity(f"The file of the secret key cannot be read: {path}.") from wrong
    keys = [line.strip() for line in lines if line.strip() and not line.startswith("#")]
    try:
        found = [Identity.from_str(key) for key in keys]
    except IdentityError as wrong:
        raise NoIdentity(
            f"{path} holds something else than secret keys (AGE-SECRET-KEY-1…)."
        ) from wrong
    if not found:
        raise NoIdentity(f"{path} holds no secret key (AGE-SECRET-KEY-1…).")
    return found


def write_sealed(chunks: Iterator[bytes], to: BinaryIO, recipient: Recipient) -> Sealed:
    """Encrypt what comes. What is raised while it comes is raised here; `to` is then worthless."""
    source, target = _Pulled(chunks), _Counted(to)
    try:
        seal(source, target, [recipient])
    except (EncryptError, OSError):
        if source.failure is not None:
            raise source.failure from None
        raise
    return Sealed(target.size, target.hash.hexdigest())


@contextmanager
def opened(path: Path, identities: Identities) -> Iterator[BinaryIO]:
    """What the file holds, to be read from the beginning to the end.

    Raises DamagedBackup, WrongIdentity: while it is read or at the end, so believe nothing that
    was read before this has ended.
    """
    with path.open("rb") as file:
        if file.read(len(MAGIC)) != MAGIC:
            raise DamagedBackup(f"{path.name} is no backup, or its beginning is damaged.")
    read_end, write_end = os.pipe()
    failures: list[Exception] = []

    def decrypt() -> None:
        try:
            with os.fdopen(write_end, "wb", buffering=0) as to, path.open("rb") as file:
                unseal(file, _Everything(to), list(identities))
        except (DecryptError, OSError) as failure:
            failures.append(failure)

    thread = threading.Thread(target=decrypt, name="decrypting", daemon=True)
    thread.start()
    try:
        with os.fdopen(read_end, "rb") as stream:
            try:
                yield stream
            except STUMBLED:
                # A stream that breaks off makes its reader stumble: the break is the reason.
                _drain(stream)
                thread.join()
                if not failures:
                    raise
            else:
                _drain(stream)
    finally:
        # Whoever left early has closed the pipe, and that ends it.
        thread.join()
    if failures:
        raise _said(failures[0], path) from failures[0]


def _drain(stream: BinaryIO) -> None:
    while stream.read(PIECE):
        pass


def _said(failure: Exception, path: Path) -> DomainError:
    if isinstance(failure, DecryptError) and "matching" in str(failure):
        return WrongIdentity(
            f"{path.name} was encrypted for another key than the one you gave, or its beginning is "
            "damaged. Give the secret key that belongs to the recipient of that time."
        )
    return DamagedBackup(
        f"{path.name} is damaged: it is cut off, or a byte of it was changed. Use another one."
    )


class _Pulled(io.RawIOBase):
    """What a generator gives, as a file to read from."""

    def __init__(self, chunks: Iterator[bytes]) -> None:
        self.failure: Exception | None = None
        self._chunks = chunks
        self._rest = memoryview(b"")

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:
        while not self._rest:
            try:
                self._rest = memoryview(next(self._chunks))
            except StopIteration:
                return b""
            except Exception as failure:
                # On its way through the encryption it would lose what it is.
                self.failure = failure
                raise
        given, self._rest = self._rest[:size], self._rest[size:]
        return bytes(given)


class _Counted(io.RawIOBase):
    """Counts and sums what is written on its way."""

    def __init__(self, to: BinaryIO) -> None:
        self.size = 0
        self.hash = hashlib.sha256()
        self._to = to

    def writable(self) -> bool:
        return True

    def write(self, data: bytes) -> int:  # type: ignore[override]
        self._to.write(data)
        self.size += len(data)
        self.hash.update(data)
        return len(data)

    def flush(self) -> None:
        with suppress(ValueError):  # closed
            self._to.flush()


class _Everything(io.RawIOBase):
    """A pipe takes a part at a time; this hands over everything."""

    def __init__(self, to: io.RawIOBase) -> None:
        self._to = to

    def writable(self) -> bool:
        return True

    def write(self, data: bytes) -> int:  # type: ignore[override]
        rest = memoryview(data)
        while rest:
            rest = rest[self._to.write(rest) or 0 :]
        return len(data)
