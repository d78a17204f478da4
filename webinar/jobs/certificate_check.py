"""Is every certificate in the register what was issued, and every paper what was signed?"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial

from sqlalchemy import select

from config import Config
from webinar.db import DbSession, read_db
from webinar.documents.signature_check import BadSignature, CheckedSignature, check_signature
from webinar.models import Certificate, CertificatePaper
from webinar.services import certificates
from webinar.tools import signing_keys

AT_ONCE = 100


@dataclass
class Checked:
    """How many were looked at, and what is wrong, each in a sentence."""

    certificates: int = 0
    papers: int = 0
    findings: list[str] = field(default_factory=list)


def check_certificates(config: Config) -> Checked:
    """All of them, revoked and superseded ones too, and the signatures of all papers."""
    checked = Checked()
    checked_by = partial(check_signature, trusted=signing_keys(config).published())
    last = 0
    with read_db() as db:
        while some := _after(db, last):
            for certificate in some:
                checked.certificates += 1
                checked.findings += _wrong(certificate)
                paper = db.get(CertificatePaper, certificate.id)
                if paper is not None:
                    checked.papers += 1
                    checked.findings += _wrong_with(paper, certificate.number, checked_by)
            last = some[-1].id
            db.expunge_all()
    return checked


def _after(db: DbSession, last: int) -> list[Certificate]:
    return list(
        db.scalars(
            select(Certificate).where(Certificate.id > last).order_by(Certificate.id).limit(AT_ONCE)
        )
    )


def _wrong(certificate: Certificate) -> Iterator[str]:
    try:
        digest = certificates.content_of(certificate).digest
    except (ValueError, TypeError, KeyError, AttributeError, LookupError) as error:
        yield f"{certificate.number}: what it says cannot be read ({error})"
    else:
        if digest != certificate.content_digest:
            yield f"{certificate.number}: it does not say what it said when it was issued"


def _wrong_with(
    paper: CertificatePaper, number: str, checked_by: Callable[[bytes], CheckedSignature]
) -> Iterator[str]:
    try:
        signature = checked_by(paper.pdf)
    except BadSignature as wrong:
        yield f"{number}: its paper is not as it was signed ({wrong})"
        return
    if signature.number != number:
        yield f"{number}: its paper is that of {signature.number}"
