"""The credential for wallets: as the published schema has it, and signed by our key."""

import json
from dataclasses import replace
from pathlib import Path

import jwt
import pytest
from jsonschema import Draft201909Validator

from tests.certificate_samples import CONTENT, NOW, URL, sample_keys, sample_paper
from webinar.documents.badge import (
    BadBadge,
    check_badge,
    credential_of,
    key_address,
    public_jwk,
    signed_badge,
)
from webinar.documents.signing_keys import SigningKeys

SCHEMA = json.loads(
    (
        Path(__file__).parents[1]
        / "data"
        / "openbadges"
        / "ob_v3p0_achievementcredential_schema.json"
    ).read_text()
)


def problems(credential: object) -> list[str]:
    validator = Draft201909Validator(SCHEMA, format_checker=Draft201909Validator.FORMAT_CHECKER)
    return [error.message for error in validator.iter_errors(credential)]


@pytest.mark.parametrize(
    "content",
    [
        CONTENT,
        replace(CONTENT, lines=(), disclosures_url="", provider_legal_name=""),
    ],
)
def test_the_credential_is_as_the_published_schema_has_it(content) -> None:
    assert problems(credential_of(content, public_url=URL, issued_at=NOW)) == []


def test_the_schema_would_find_what_is_missing() -> None:
    credential = credential_of(CONTENT, public_url=URL, issued_at=NOW)
    del credential["validFrom"]

    assert problems(credential) == ["'validFrom' is a required property"]


def test_the_signed_credential_is_the_credential() -> None:
    token = sample_paper().badge

    payload = dict(check_badge(token, sample_keys().published()))

    assert {name: payload.pop(name) for name in ("iss", "jti", "nbf", "iat", "sub")} == {
        "iss": URL,
        "jti": CONTENT.verify_url,
        "nbf": int(NOW.timestamp()),
        "iat": int(NOW.timestamp()),
        "sub": "urn:uuid:" + str(payload["credentialSubject"]["id"]).removeprefix("urn:uuid:"),
    }
    assert payload == credential_of(CONTENT, public_url=URL, issued_at=NOW)
    assert problems(payload) == []


def test_the_header_leads_to_the_key_that_opens_it() -> None:
    token = sample_paper().badge
    [certificate] = sample_keys().published()
    jwk = public_jwk(certificate, public_url=URL)

    header = jwt.get_unverified_header(token)

    assert header["alg"] == "RS256"
    assert header["kid"] == jwk["kid"] == key_address(URL, sample_paper().key_id)
    options = {"verify_nbf": False, "verify_iat": False}
    assert jwt.decode(token, jwt.PyJWK(jwk), ["RS256"], options)["jti"] == CONTENT.verify_url


def test_the_credit_earned_is_told_body_by_body() -> None:
    credential = credential_of(CONTENT, public_url=URL, issued_at=NOW)
    subject = credential["credentialSubject"]

    names = [one["name"] for one in subject["achievement"]["resultDescription"]]
    values = [one["value"] for one in subject["result"]]

    assert list(zip(names, values, strict=True)) == [
        ("EACCME, in ECMEC, reference LEE-2026-00001", "0.5"),
        ("ESMO-MORA, in point", "1"),
    ]


@pytest.mark.parametrize("part", [0, 1, 2])
def test_a_changed_credential_is_refused(part: int) -> None:
    parts = sample_paper().badge.split(".")
    first = parts[part]
    parts[part] = first[:20] + ("A" if first[20] != "A" else "B") + first[21:]

    with pytest.raises(BadBadge):
        check_badge(".".join(parts), sample_keys().published())


def test_somebody_elses_key_is_refused(tmp_path: Path) -> None:
    forger = SigningKeys(tmp_path, "Demo School of Oncology").current(now=NOW)
    token = signed_badge(CONTENT, forger, public_url=URL, issued_at=NOW)

    with pytest.raises(BadBadge):
        check_badge(token, sample_keys().published())
