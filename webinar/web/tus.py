"""What the tus protocol says in headers (tus.io, 1.0.0: core, creation, termination, checksum)."""

import base64
import binascii
import hashlib
from dataclasses import dataclass

from werkzeug.datastructures import Headers

from webinar.domain.errors import DomainError

VERSION = "1.0.0"
EXTENSIONS = "creation,termination,checksum"
ALGORITHMS = ("sha256", "sha1")
PIECE_TYPE = "application/offset+octet-stream"
MOST_DIGITS = 15


class OtherVersion(DomainError):
    """The client speaks another version of the protocol."""

    status = 412


class NotUnderstood(DomainError):
    """A header is missing or makes no sense."""

    status = 400


class NoPiece(DomainError):
    """The body is not what the protocol sends."""

    status = 415


class ChecksumMismatch(DomainError):
    """The piece was changed on its way (460 is the protocol's own number)."""

    status = 460


@dataclass(frozen=True)
class Checksum:
    """What a piece must come to."""

    algorithm: str
    digest: bytes


def ensure_version(headers: Headers) -> None:
    """Raise OtherVersion unless the client speaks ours."""
    if headers.get("Tus-Resumable") != VERSION:
        raise OtherVersion(f"Videos are sent by tus {VERSION}.")


def number_in(headers: Headers, name: str) -> int:
    """A count of bytes; raises NotUnderstood."""
    text = headers.get(name, "")
    # str.isdigit knows digits that int does not.
    if not (text.isascii() and text.isdigit()) or len(text) > MOST_DIGITS:
        raise NotUnderstood(f"{name} is a number of bytes.")
    return int(text)


def file_name_in(headers: Headers) -> str:
    """The name the file has at home; empty if nobody says."""
    for pair in headers.get("Upload-Metadata", "").split(","):
        key, _, value = pair.strip().partition(" ")
        if key == "filename":
            try:
                return base64.b64decode(value.strip(), validate=True).decode()
            except (binascii.Error, UnicodeDecodeError) as wrong:
                raise NotUnderstood("Upload-Metadata names the file in Base64.") from wrong
    return ""


def checksum_in(headers: Headers) -> Checksum | None:
    """What the piece must come to, if the client says; raises NotUnderstood."""
    stated = headers.get("Upload-Checksum")
    if stated is None:
        return None
    algorithm, _, value = stated.partition(" ")
    try:
        digest = base64.b64decode(value, validate=True)
    except binascii.Error as wrong:
        raise NotUnderstood("Upload-Checksum is an algorithm and a sum in Base64.") from wrong
    if algorithm not in ALGORITHMS or len(digest) != hashlib.new(algorithm).digest_size:
        raise NotUnderstood(f"Upload-Checksum is one of {', '.join(ALGORITHMS)}.")
    return Checksum(algorithm, digest)
