"""The certificate as an Open Badges 3.0 credential: a JWT that wallets and other programs read.

Signed as the specification's section 8.2.4 has it (JSON Web Token proof format): RS256, `kid` the
address of the public key, the payload the credential itself. It names the person and nothing else
about them.
"""

import uuid
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

import jwt
from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from jwt.utils import to_base64url_uint

from webinar.documents.signing_keys import SigningKey, key_id_of
from webinar.domain.certificate import CertificateContent
from webinar.domain.errors import DomainError
from webinar.domain.figures import plain_credit

ALGORITHM = "RS256"
CONTEXT = (
    "https://www.w3.org/ns/credentials/v2",
    "https://purl.imsglobal.org/spec/ob/v3p0/context-3.0.3.json",
)
SCHEMA = (
    "https://purl.imsglobal.org/spec/ob/v3p0/schema/json/ob_v3p0_achievementcredential_schema.json"
)


class BadBadge(DomainError):
    """The credential is not what one of the keys signed."""


def signed_badge(
    content: CertificateContent, key: SigningKey, *, public_url: str, issued_at: datetime
) -> str:
    """The credential as a compact JWT; the same certificate and key give the same text."""
    credential = credential_of(content, public_url=public_url, issued_at=issued_at)
    registered = {
        "iss": public_url,
        "jti": content.verify_url,
        "sub": _holder(content),
        "nbf": int(issued_at.timestamp()),
        "iat": int(issued_at.timestamp()),
    }
    return jwt.encode(
        {**credential, **registered},
        key.private,
        algorithm=ALGORITHM,
        headers={"kid": key_address(public_url, key.key_id)},
    )


def credential_of(
    content: CertificateContent, *, public_url: str, issued_at: datetime
) -> dict[str, object]:
    """The credential as JSON-LD, before it is signed."""
    session = content.disclosures_url or content.verify_url
    lines = list(enumerate(content.lines, start=1))
    achievement = {
        "id": session,
        "type": ["Achievement"],
        "achievementType": "CertificateOfCompletion",
        "name": content.title,
        "description": f"{content.title}. {content.held}. Offered by {content.provider}.",
        "inLanguage": "en",
        "criteria": {
            "narrative": "Took part for as long as each accrediting body asks, and did what it "
            "asks besides. Each result names the credit earned, never the most that can be."
        },
        "resultDescription": [
            {
                "id": f"{content.verify_url}#credit-{number}",
                "type": ["ResultDescription"],
                "name": _name_of_result(line.body, line.unit, line.reference),
                "resultType": "Result",
            }
            for number, line in lines
        ],
    }
    return {
        "@context": list(CONTEXT),
        "id": content.verify_url,
        "type": ["VerifiableCredential", "OpenBadgeCredential"],
        "name": f"Certificate of attendance {content.number}",
        "description": f"{content.minutes_attended} minutes counted; {content.held}.",
        "issuer": {
            "id": public_url,
            "type": ["Profile"],
            "name": content.provider_legal_name or content.provider,
            "url": public_url,
        },
        "validFrom": issued_at.astimezone(UTC).isoformat(timespec="seconds"),
        "credentialSubject": {
            "id": _holder(content),
            "type": ["AchievementSubject"],
            "identifier": [
                {
                    "type": "IdentityObject",
                    "hashed": False,
                    "identityHash": content.person_name,
                    "identityType": "name",
                }
            ],
            "achievement": achievement,
            "result": [
                {
                    "type": ["Result"],
                    "resultDescription": f"{content.verify_url}#credit-{number}",
                    "value": plain_credit(line.credits),
                }
                for number, line in lines
            ],
        },
        "credentialSchema": [{"id": SCHEMA, "type": "1EdTechJsonSchemaValidator2019"}],
        "credentialStatus": {
            "id": f"{content.verify_url}/status.json",
            "type": "1EdTechRevocationList",
        },
    }


def check_badge(token: str, trusted: Sequence[x509.Certificate]) -> Mapping[str, object]:
    """The payload, if one of these certificates' keys signed it; raises BadBadge."""
    for certificate in trusted:
        public = certificate.public_key()
        if not isinstance(public, RSAPublicKey):
            continue
        try:
            payload: Mapping[str, object] = jwt.decode(
                token,
                public,
                algorithms=[ALGORITHM],
                # The certificate's own validity is asked elsewhere; no clock is read here.
                options={"verify_aud": False, "verify_nbf": False, "verify_iat": False},
            )
        except (jwt.InvalidTokenError, UnsupportedAlgorithm):
            continue
        return payload
    raise BadBadge("This credential was not signed with one of our keys, or it was changed.")


def read_badge(token: str) -> Mapping[str, object]:
    """What one of our own says, for people to read; nothing is checked."""
    payload: Mapping[str, object] = jwt.decode(token, options={"verify_signature": False})
    return payload


def key_address(public_url: str, key_id: str) -> str:
    """Where a program finds the public key of a credential, as a JSON Web Key."""
    return f"{public_url}/verify/keys/{key_id}.json"


def public_jwk(certificate: x509.Certificate, *, public_url: str) -> dict[str, str]:
    """The public key as a JSON Web Key; ValueError for a key that is not RSA."""
    public = certificate.public_key()
    if not isinstance(public, RSAPublicKey):
        raise ValueError("not an RSA key")
    numbers = public.public_numbers()
    return {
        "kty": "RSA",
        "use": "sig",
        "alg": ALGORITHM,
        "kid": key_address(public_url, key_id_of(certificate)),
        "n": to_base64url_uint(numbers.n).decode(),
        "e": to_base64url_uint(numbers.e).decode(),
    }


def _holder(content: CertificateContent) -> str:
    """A name for the person that means nothing elsewhere and leads to no account."""
    return uuid.uuid5(uuid.NAMESPACE_URL, content.verify_url).urn


def _name_of_result(body: str, unit: str, reference: str) -> str:
    return f"{body}, in {unit}" + (f", reference {reference}" if reference else "")
