"""Short secrets that the database keeps but nobody reads in it, nor in its backups."""

import base64
import secrets

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from webinar.domain.errors import DomainError

NONCE_BYTES = 12


class SealBroken(DomainError):
    """Sealed under another secret, for another purpose, or damaged."""

    status = 500


class SealedText:
    """Seals under the installation's secret. What was sealed for one thing opens for no other."""

    def __init__(self, secret: str) -> None:
        derived = HKDF(
            algorithm=SHA256(), length=32, salt=None, info=b"webinar sealed text 1"
        ).derive(secret.encode())
        self._cipher = AESGCM(derived)

    def seal(self, text: str, *, bound_to: str) -> str:
        """The text as a token of plain letters."""
        nonce = secrets.token_bytes(NONCE_BYTES)
        sealed = self._cipher.encrypt(nonce, text.encode(), bound_to.encode())
        return base64.urlsafe_b64encode(nonce + sealed).decode()

    def open(self, token: str, *, bound_to: str) -> str:
        """The text again; raises SealBroken."""
        try:
            raw = base64.urlsafe_b64decode(token)
            opened = self._cipher.decrypt(raw[:NONCE_BYTES], raw[NONCE_BYTES:], bound_to.encode())
        except (InvalidTag, ValueError):
            raise SealBroken(
                "A stored secret cannot be opened. The administrator should check that "
                "SECRET_KEY is the one it was stored with."
            ) from None
        return opened.decode()
