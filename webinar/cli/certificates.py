"""flask certificates: is this number, this PDF or badge one of ours? And the keys that sign."""

from datetime import UTC, datetime
from pathlib import Path

import click
from flask import current_app

from config import Config
from webinar.db import DbSession, read_db
from webinar.documents.badge import check_badge
from webinar.documents.signature_check import BadSignature, CheckedSignature, check_signature
from webinar.documents.signing_keys import SigningKeys, read_certificates
from webinar.domain.certificate import CertificateContent
from webinar.domain.errors import DomainError
from webinar.domain.figures import plain_credit
from webinar.jobs.certificate_check import check_certificates
from webinar.services import certificate_papers
from webinar.services import certificates as register
from webinar.services.certificates import Standing, Verified
from webinar.tools import signing_keys

# How every JWT begins: the first letters of a JSON object, in Base64.
JWT_BEGINS = b"eyJ"
ONLY_ITS_NUMBER_SAYS = "Whether it still stands, only its number says: ask the issuer's page."


class NotGenuine(DomainError):
    """The certificate is not to be relied on."""


@click.group("certificates")
def certificates() -> None:
    """Verify what was issued; the keys that sign it."""


@certificates.command("verify")
@click.argument("number_or_file")
@click.option(
    "--cert",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Published certificates (PEM). With them a FILE is checked offline, without our register.",
)
def verify(number_or_file: str, cert: Path | None) -> None:
    """Say what a certificate is worth: by its NUMBER, or by its PDF or badge (JWT) as a FILE.

    Exit status 0 only for a certificate that is genuine and stands. With --cert nothing is asked
    of the database or the network: the signature alone is checked, and whether the certificate
    still stands remains open.
    """
    path = Path(number_or_file)
    if cert is not None:
        if not path.is_file():
            raise click.UsageError("--cert checks a FILE; there is none of this name.")
        data, trusted = path.read_bytes(), read_certificates(cert.read_bytes())
        if data.startswith(JWT_BEGINS):
            check_badge(data.decode().strip(), trusted)
            click.echo(f"One of these keys signed this badge as it is.\n{ONLY_ITS_NUMBER_SAYS}")
        else:
            click.echo(_offline_words(check_signature(data, trusted)))
        return
    with read_db() as db:
        if path.is_file():
            verified = _from_file(db, path.read_bytes(), _keys())
        else:
            verified = register.verify(db, number_or_file)
    click.echo(_words(verified))
    if verified.standing is not Standing.GENUINE or not verified.is_untouched:
        raise click.exceptions.Exit(1)


@certificates.command("check")
def check() -> None:
    """Hold every certificate against what was issued, and every paper against its signature.

    Prints each that is not as it should be; status 1 if there is one.
    """
    checked = check_certificates(current_app.extensions["config"])
    for finding in checked.findings:
        click.echo(finding)
    click.echo(
        f"{checked.certificates} certificates and {checked.papers} papers checked, "
        f"findings: {len(checked.findings)}."
    )
    if checked.findings:
        raise click.exceptions.Exit(1)


@certificates.command("keys")
def keys() -> None:
    """Print the certificates of every key that ever signed here, as PEM."""
    store = _keys()
    store.current(now=datetime.now(UTC))
    click.echo(store.published_pem(), nl=False)


@certificates.command("rotate-key")
def rotate_key() -> None:
    """Sign with a new key from here on; the former one is deleted, its certificate stays."""
    key = _keys().rotate(now=datetime.now(UTC))
    click.echo(f"New signatures are made with {key.key_id}.")


def _keys() -> SigningKeys:
    config: Config = current_app.extensions["config"]
    return signing_keys(config)


def _from_file(db: DbSession, data: bytes, keys: SigningKeys) -> Verified:
    if data.startswith(JWT_BEGINS):
        badge = check_badge(data.decode().strip(), keys.published())
        return register.verify(db, str(badge["jti"]).rpartition("/")[2])
    certificate = certificate_papers.by_file(db, data)
    if certificate is not None:
        return register.verify(db, certificate.number)
    try:
        signature = check_signature(data, keys.published())
    except BadSignature as wrong:
        raise NotGenuine(
            f"{wrong} It is not, byte for byte, a certificate of ours. "
            "Verify it by the number that is printed on it."
        ) from wrong
    # Signed by us and not kept: an extract for one body.
    return register.verify(db, signature.number)


def _offline_words(found: CheckedSignature) -> str:
    return (
        f"{found.number or 'This file'} is unchanged since {found.signer} signed it on "
        f"{found.signed_at:%d %B %Y, %H:%M} UTC with key {found.key_id}.\n"
        f"{ONLY_ITS_NUMBER_SAYS}"
    )


def _words(verified: Verified) -> str:
    content: CertificateContent = verified.content
    lines = ", ".join(f"{line.body} {plain_credit(line.credits)}" for line in content.lines)
    words = {
        Standing.GENUINE: "genuine",
        Standing.SUPERSEDED: f"superseded by {verified.certificate.superseded_by}",
        Standing.REVOKED: f"revoked: {verified.certificate.revoke_reason}",
    }[verified.standing]
    if not verified.is_untouched:
        words += "; BUT its stored content does not match its digest"
    return (
        f"{content.number} is {words}.\n{content.person_name}; {content.title}; {content.held}; "
        f"{lines}"
    )
