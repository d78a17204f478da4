"""The key that signs certificates, and the published certificates of all that ever signed.

The folder holds `current.pem` (private key and certificate, mode 0600) and `published/`, one
PEM file for each key that ever signed here. Made on first need, whoever comes first; a file
appears whole or not at all.
"""

import hashlib
import os
import secrets
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)
from cryptography.x509.oid import NameOID

from webinar.domain.errors import DomainError

KEY_BITS = 3072
LEAST_KEY_BITS = 2048
# Nobody renews it for a paper that was signed long ago; validity only bounds new signatures.
VALID_FOR = timedelta(days=30 * 365)
# Clocks of readers may be a little behind ours.
BACKDATED = timedelta(days=1)
COMMON_NAME_CHARACTERS = 64


class UnusableKey(DomainError):
    """The key or certificate that was given cannot sign certificates."""


@dataclass(frozen=True)
class SigningKey:
    """A private key with its certificate, and the certificates that lead to its issuer."""

    private: rsa.RSAPrivateKey
    certificate: x509.Certificate
    chain: tuple[x509.Certificate, ...] = ()

    @property
    def key_id(self) -> str:
        """SHA-256 of the certificate's DER, in hexadecimal."""
        return key_id_of(self.certificate)


def key_id_of(certificate: x509.Certificate) -> str:
    """SHA-256 of the certificate's DER, in hexadecimal: what `openssl x509 -fingerprint` says."""
    return hashlib.sha256(certificate.public_bytes(Encoding.DER)).hexdigest()


def read_certificates(pem: bytes) -> list[x509.Certificate]:
    """The certificates in a PEM file that somebody gives us; raises UnusableKey."""
    try:
        return x509.load_pem_x509_certificates(pem)
    except ValueError as wrong:
        raise UnusableKey("The file has no certificates in PEM form.") from wrong


@dataclass(frozen=True)
class SigningKeys:
    """The key store. With `key_file` and `certificate_file` the organisation's own key signs."""

    folder: Path
    name: str
    """Who signs, as the certificate of a key made here says."""
    key_file: Path | None = None
    certificate_file: Path | None = None

    def current(self, *, now: datetime) -> SigningKey:
        """The key that signs; made now if there is none. Raises UnusableKey."""
        if self.key_file is not None and self.certificate_file is not None:
            key = _read_given(self.key_file, self.certificate_file)
        else:
            key = self._own(now)
        self._publish(key)
        return key

    def published(self) -> list[x509.Certificate]:
        """The certificates of every key that ever signed here, and of their issuers."""
        files = sorted((self.folder / "published").glob("*.pem"))
        found = [
            one for file in files for one in x509.load_pem_x509_certificates(file.read_bytes())
        ]
        return list({key_id_of(one): one for one in found}.values())

    def published_pem(self) -> bytes:
        """The same as one PEM file."""
        return b"".join(one.public_bytes(Encoding.PEM) for one in self.published())

    def rotate(self, *, now: datetime) -> SigningKey:
        """Sign with a new key from here on; the former private key is gone, its certificate stays.

        Raises UnusableKey where the organisation's own key signs: it is changed in the settings.
        """
        if self.key_file is not None:
            raise UnusableKey(
                "The key comes from the settings. Put the new key and its certificate there; "
                "the former certificate stays published."
            )
        self.current(now=now)
        self._write(self._current_file, _own_pem(self.name, now), replace=True)
        return self.current(now=now)

    @property
    def _current_file(self) -> Path:
        return self.folder / "current.pem"

    def _own(self, now: datetime) -> SigningKey:
        with suppress(FileNotFoundError):
            return _parse(self._current_file.read_bytes(), self._current_file)
        with suppress(FileExistsError):
            self._write(self._current_file, _own_pem(self.name, now), replace=False)
        return _parse(self._current_file.read_bytes(), self._current_file)

    def _publish(self, key: SigningKey) -> None:
        target = self.folder / "published" / f"{key.key_id}.pem"
        if target.exists():
            return
        pem = b"".join(one.public_bytes(Encoding.PEM) for one in (key.certificate, *key.chain))
        self._write(target, pem, replace=True)

    def _write(self, target: Path, data: bytes, *, replace: bool) -> None:
        """Durable and whole; raises FileExistsError if it is there and may not be replaced."""
        target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.folder.chmod(0o700)
        draft = target.with_name(f".{target.name}.{secrets.token_hex(6)}")
        try:
            with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as to:
                to.write(data)
                to.flush()
                os.fsync(to.fileno())
            if replace:
                draft.replace(target)
            else:
                os.link(draft, target)
        finally:
            draft.unlink(missing_ok=True)
        folder = os.open(target.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)


def _own_pem(name: str, now: datetime) -> bytes:
    key = rsa.generate_private_key(public_exponent=65537, key_size=KEY_BITS)
    subject = x509.Name(
        [
            x509.NameAttribute(NameOID.COMMON_NAME, name[:COMMON_NAME_CHARACTERS]),
            x509.NameAttribute(NameOID.ORGANIZATIONAL_UNIT_NAME, "Certificates of attendance"),
        ]
    )
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - BACKDATED)
        .not_valid_after(now + VALID_FOR)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(
            x509.KeyUsage(
                digital_signature=True,
                content_commitment=True,
                key_encipherment=False,
                data_encipherment=False,
                key_agreement=False,
                key_cert_sign=False,
                crl_sign=False,
                encipher_only=False,
                decipher_only=False,
            ),
            critical=True,
        )
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .sign(key, SHA256())
    )
    private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    return private + certificate.public_bytes(Encoding.PEM)


def _read_given(key_file: Path, certificate_file: Path) -> SigningKey:
    try:
        pem = key_file.read_bytes() + b"\n" + certificate_file.read_bytes()
    except OSError as wrong:
        raise UnusableKey(f"The signing key cannot be read: {wrong}.") from wrong
    return _parse(pem, key_file)


# Checking a key takes longer than setting a certificate does.
@lru_cache(maxsize=8)
def _parse(pem: bytes, source: Path) -> SigningKey:
    try:
        private = load_pem_private_key(pem, password=None)
        certificates = x509.load_pem_x509_certificates(pem)
    except (ValueError, TypeError) as wrong:
        raise UnusableKey(
            f"The signing key {source} is not a PEM key without password and its certificate."
        ) from wrong
    if not isinstance(private, rsa.RSAPrivateKey) or private.key_size < LEAST_KEY_BITS:
        raise UnusableKey(f"The signing key {source} is not RSA with {LEAST_KEY_BITS} bits.")
    if certificates[0].public_key() != private.public_key():
        raise UnusableKey(f"The signing certificate does not belong to the key {source}.")
    return SigningKey(
        private=private,
        certificate=certificates[0],
        chain=tuple(certificates[1:]),
    )
