"""The key store: without a key every copy of a segment, anywhere, is noise.

Keys lie apart from the database and its backups, one small file each, wrapped with AES-GCM under a
key derived from the installation's secret. Destroying them is how a recording ends for good.
"""

import os
import re
import secrets
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from webinar.domain.errors import Conflict, DomainError, Gone, NotFound
from webinar.media.durable import make_folder, sync_folder, write_all, write_beside, write_whole

KEY_BYTES = 16  # AES-128, the one cipher of HLS that every player knows (RFC 8216, 4.3.2.4)
NONCE_BYTES = 12
TOMBSTONE = "destroyed"
RECORDING_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")


class KeysDestroyed(Gone):
    """The recording was ended for good."""


class NoSuchKey(NotFound):
    """The recording has no key of this number."""


class KeyExists(Conflict):
    """The number is taken: a key is never replaced."""


class KeyUnreadable(DomainError):
    """The key was wrapped under another secret, or its file is damaged."""

    status = 500


class KeyStore:
    """Keys by recording and number, from 0. `wrapping_secret` is the installation's own."""

    def __init__(self, root: Path, wrapping_secret: str) -> None:
        self.root = root
        derived = HKDF(
            algorithm=SHA256(), length=32, salt=None, info=b"webinar recording keys 1"
        ).derive(wrapping_secret.encode())
        self._wrapping = AESGCM(derived)

    def create(self, recording_id: str, key_number: int) -> bytes:
        """Make a random key, on disk before this returns; raises KeyExists, KeysDestroyed."""
        folder = self._folder(recording_id)
        self._refuse_destroyed(folder)
        key = secrets.token_bytes(KEY_BYTES)
        nonce = secrets.token_bytes(NONCE_BYTES)
        wrapped = nonce + self._wrapping.encrypt(nonce, key, _bound_to(recording_id, key_number))
        make_folder(folder, mode=0o700)
        path = folder / _file_name(key_number)
        temporary = write_beside(path, wrapped, mode=0o600)
        try:
            # A link, unlike a rename, fails when the name is taken.
            os.link(temporary, path)
        except FileExistsError as taken:
            raise KeyExists(f"Key {key_number} of this recording exists already.") from taken
        finally:
            temporary.unlink(missing_ok=True)
        sync_folder(folder)
        if (folder / TOMBSTONE).exists():
            # Destroyed between the two looks: what was made just now goes as well.
            self.destroy_all(recording_id)
            self._refuse_destroyed(folder)
        return key

    def read(self, recording_id: str, key_number: int) -> bytes:
        """The 16 bytes; raises NoSuchKey, KeysDestroyed, KeyUnreadable."""
        folder = self._folder(recording_id)
        try:
            wrapped = (folder / _file_name(key_number)).read_bytes()
        except FileNotFoundError as missing:
            self._refuse_destroyed(folder)
            raise NoSuchKey("There is no such key.") from missing
        try:
            return self._wrapping.decrypt(
                wrapped[:NONCE_BYTES], wrapped[NONCE_BYTES:], _bound_to(recording_id, key_number)
            )
        except (InvalidTag, ValueError) as failure:
            # While keys are being destroyed their bytes are overwritten first.
            self._refuse_destroyed(folder)
            raise KeyUnreadable(
                "The key of this recording cannot be opened. The administrator should check that "
                "SECRET_KEY is the one it was made with, and restore the key store if not."
            ) from failure

    def numbers(self, recording_id: str) -> list[int]:
        """The numbers of the recording's keys, in order; none after they were destroyed."""
        return sorted(int(path.stem) for path in self._folder(recording_id).glob("*.key"))

    def ids(self) -> set[str]:
        """The recordings that have, or had, keys here."""
        if not self.root.is_dir():
            return set()
        return {folder.name for folder in self.root.iterdir() if folder.is_dir()}

    def destroy_all(self, recording_id: str) -> None:
        """Overwrite and remove every key of the recording, for ever; twice is fine.

        Overwriting does not reach what a journalling disk or a backup has kept of the old bytes;
        how long the key store's backups are kept bounds how long a key can come back.
        """
        folder = self._folder(recording_id)
        make_folder(folder, mode=0o700)
        # First the tombstone: from here on no key is made or read, whatever happens next.
        write_whole(folder / TOMBSTONE, b"", mode=0o600)
        for path in folder.iterdir():
            if path.name != TOMBSTONE:
                _overwrite(path)
                path.unlink(missing_ok=True)
        sync_folder(folder)

    def _folder(self, recording_id: str) -> Path:
        if RECORDING_ID.fullmatch(recording_id) is None:
            raise NoSuchKey("There is no such recording.")
        return self.root / recording_id

    def _refuse_destroyed(self, folder: Path) -> None:
        if (folder / TOMBSTONE).exists():
            raise KeysDestroyed("This recording was ended for good: its keys no longer exist.")


def _file_name(key_number: int) -> str:
    return f"{key_number:06d}.key"


def _bound_to(recording_id: str, key_number: int) -> bytes:
    """A wrapped key moved to another place does not open there."""
    return f"{recording_id}/{key_number}".encode()


def _overwrite(path: Path) -> None:
    descriptor = os.open(path, os.O_WRONLY)
    try:
        write_all(descriptor, secrets.token_bytes(path.stat().st_size))
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
