"""flask certificates: is this number, or this PDF, one of ours?"""

import re
from pathlib import Path

import click

from webinar.db import DbSession, read_db
from webinar.documents.certificate import certificate_pdf
from webinar.domain.certificate import CertificateContent, MalformedNumber
from webinar.domain.errors import DomainError
from webinar.domain.figures import plain_credit
from webinar.services import certificates as register
from webinar.services.certificates import Standing, UnknownCertificate, Verified

NUMBER = re.compile(rb"WCS(?:-[0-9A-HJKMNP-TV-Z]{4}){3}")


class NotGenuine(DomainError):
    """The certificate is not to be relied on."""


@click.group("certificates")
def certificates() -> None:
    """Verify what was issued."""


@certificates.command("verify")
@click.argument("number_or_file")
def verify(number_or_file: str) -> None:
    """Say what a certificate is worth: by its NUMBER, or by its PDF as a FILE.

    A file is set again from the stored content and compared byte by byte. Exit status 0 only
    for a certificate that is genuine and stands.
    """
    path = Path(number_or_file)
    with read_db() as db:
        if path.is_file():
            verified = _from_file(db, path.read_bytes())
        else:
            verified = register.verify(db, number_or_file)
    click.echo(_words(verified))
    if verified.standing is not Standing.GENUINE or not verified.is_untouched:
        raise click.exceptions.Exit(1)


def _from_file(db: DbSession, data: bytes) -> Verified:
    # A PDF of ours names its number readably, in its metadata.
    for number in sorted(set(NUMBER.findall(data))):
        try:
            verified = register.verify(db, number.decode())
        except (MalformedNumber, UnknownCertificate):
            continue
        if certificate_pdf(verified.content) == data:
            return verified
    raise NotGenuine(
        "This file is not, byte for byte, a certificate of ours. "
        "Verify it by the number that is printed on it."
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
