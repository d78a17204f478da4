"""Is this PDF, to its last bit, what one of these keys signed? No database, no network, no clock.

Stricter than PAdES asks: one signature over the whole file, RSA with SHA-256, and every byte of
its CMS container as it must be, so that no bit can be changed unseen, not even an idle one.
"""

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from asn1crypto import cms
from asn1crypto import x509 as asn1
from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

from webinar.documents.signing_keys import key_id_of
from webinar.domain.errors import DomainError

BYTE_RANGE = re.compile(rb"/ByteRange *\[ *(\d{1,9}) +(\d{1,9}) +(\d{1,9}) +(\d{1,9}) *\]")
SIGNED_AT = re.compile(rb"/M *\(D(?::|\\072)(\d{14})Z\)")
NUMBER = re.compile(rb"\(Certificate of attendance (WCS(?:-[0-9A-HJKMNP-TV-Z]{4}){3}): ")
# What asn1crypto raises for bytes that are no CMS container.
_MALFORMED = (ValueError, TypeError, KeyError, IndexError, AttributeError, OverflowError)
CONTAINER = re.compile(rb"<((?:[0-9A-F]{2})+)>")


class BadSignature(DomainError):
    """The file is not, to its last bit, what one of the keys signed."""


@dataclass(frozen=True)
class CheckedSignature:
    """What a sound signature says."""

    number: str
    """Of the certificate; "" for another paper."""
    signed_at: datetime
    """As the signer claims."""
    signer: str
    key_id: str


def check_signature(data: bytes, trusted: Sequence[x509.Certificate]) -> CheckedSignature:
    """What the signature says, if one of these certificates' keys made it; else BadSignature."""
    try:
        return _checked(data, trusted)
    except _MALFORMED as wrong:
        raise BadSignature("The signature of this file is damaged.") from wrong


def _checked(data: bytes, trusted: Sequence[x509.Certificate]) -> CheckedSignature:
    start, end = _gap(data)
    container = CONTAINER.fullmatch(data[start:end])
    if container is None:
        raise BadSignature("The signature of this file is damaged.")
    leaf, signer_info = _parts(bytes.fromhex(container[1].decode()), trusted)
    digest = hashlib.sha256(data[:start])
    digest.update(data[end:])
    _check_rsa(leaf, signer_info)
    _check_attributes(signer_info, digest.digest())
    signed_at = _signed_at(data)
    if not leaf.not_valid_before_utc <= signed_at <= leaf.not_valid_after_utc:
        raise BadSignature("The file was signed when the key was not valid.")
    numbers = {found.decode() for found in NUMBER.findall(data)}
    return CheckedSignature(
        number=numbers.pop() if len(numbers) == 1 else "",
        signed_at=signed_at,
        signer=", ".join(
            str(one.value) for one in leaf.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
        ),
        key_id=key_id_of(leaf),
    )


def _gap(data: bytes) -> tuple[int, int]:
    """Where the signature itself stands: all the rest is signed."""
    ranges = BYTE_RANGE.findall(data)
    if not ranges:
        raise BadSignature("This file is not signed.")
    if len(ranges) > 1:
        raise BadSignature("This file has more than one signature; ours have one.")
    first, length, second, rest = (int(number) for number in ranges[0])
    if first != 0 or not length < second or second + rest != len(data):
        raise BadSignature("The signature does not cover this file: something was added or lost.")
    return length, second


def _parts(
    padded: bytes, trusted: Sequence[x509.Certificate]
) -> tuple[x509.Certificate, cms.SignerInfo]:
    """Certificate and signer of the container, which has nothing else in it."""
    known = {one.public_bytes(Encoding.DER): one for one in trusted}
    found = cms.ContentInfo.load(padded)
    der = found.dump()
    certificates = [one.chosen.dump() for one in found["content"]["certificates"]]
    signer_info = found["content"]["signer_infos"][0]
    leaves = [one for one in certificates if _is_named(one, signer_info)]
    if len(leaves) != 1:
        raise BadSignature("The signature does not say which key made it.")
    rebuilt = _rebuilt(certificates, asn1.Certificate.load(leaves[0]), signer_info)
    if not set(certificates) <= known.keys():
        raise BadSignature(
            "This file was signed with another key than those of the given certificates."
        )
    if rebuilt != der or padded != der.ljust(len(padded), b"\0"):
        raise BadSignature("The signature of this file is damaged.")
    return known[leaves[0]], signer_info


def _is_named(der: bytes, signer_info: cms.SignerInfo) -> bool:
    certificate = asn1.Certificate.load(der)
    named = signer_info["sid"].chosen
    return bool(
        named["serial_number"].native == certificate.serial_number
        and named["issuer"].dump() == certificate.issuer.dump()
    )


def _rebuilt(certificates: Sequence[bytes], leaf: asn1.Certificate, given: cms.SignerInfo) -> bytes:
    """The one container these parts make."""
    sha256 = {"algorithm": "sha256"}
    signer_info = cms.SignerInfo(
        {
            "version": "v1",
            "sid": cms.SignerIdentifier(
                {
                    "issuer_and_serial_number": cms.IssuerAndSerialNumber(
                        {"issuer": leaf.issuer, "serial_number": leaf.serial_number}
                    )
                }
            ),
            "digest_algorithm": sha256,
            "signed_attrs": cms.CMSAttributes.load(given["signed_attrs"].untag().dump()),
            "signature_algorithm": {"algorithm": "sha256_rsa"},
            "signature": given["signature"].native,
        }
    )
    content = cms.SignedData(
        {
            "version": "v1",
            "digest_algorithms": [sha256],
            "encap_content_info": {"content_type": "data"},
            "certificates": [asn1.Certificate.load(one) for one in certificates],
            "signer_infos": [signer_info],
        }
    )
    return bytes(cms.ContentInfo({"content_type": "signed_data", "content": content}).dump())


def _check_attributes(signer_info: cms.SignerInfo, digest: bytes) -> None:
    said = {
        one["type"].native: one["values"][0].native
        for one in signer_info["signed_attrs"]
        if one["type"].native in ("content_type", "message_digest")
    }
    if said != {"content_type": "data", "message_digest": digest}:
        raise BadSignature("This file was changed after it was signed.")


def _check_rsa(leaf: x509.Certificate, signer_info: cms.SignerInfo) -> None:
    key = leaf.public_key()
    if not isinstance(key, RSAPublicKey):
        raise BadSignature("The signature was not made with an RSA key.")
    try:
        key.verify(
            signer_info["signature"].native,
            signer_info["signed_attrs"].untag().dump(),
            PKCS1v15(),
            SHA256(),
        )
    except InvalidSignature as wrong:
        raise BadSignature("The signature was not made with the key it names.") from wrong


def _signed_at(data: bytes) -> datetime:
    found = SIGNED_AT.findall(data)
    if len(found) != 1:
        raise BadSignature("The signature does not say when it was made.")
    return datetime.strptime(found[0].decode(), "%Y%m%d%H%M%S").replace(tzinfo=UTC)
