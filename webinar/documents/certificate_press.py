"""Set and sign: from what a certificate says to the papers that leave the house."""

from dataclasses import dataclass
from datetime import datetime

from webinar.documents.badge import signed_badge
from webinar.documents.certificate import certificate_pdf
from webinar.documents.signing import signed_pdf
from webinar.documents.signing_keys import SigningKeys
from webinar.domain.certificate import CertificateContent
from webinar.domain.certificate_paper import Paper

REASON = "Certificate of attendance"


@dataclass(frozen=True)
class CertificatePress:
    """Makes papers with the key that signs today."""

    keys: SigningKeys
    public_url: str

    def paper(self, content: CertificateContent, *, issued_at: datetime, now: datetime) -> Paper:
        """PDF and credential. Raises UnprintableText and UnusableKey."""
        key = self.keys.current(now=now)
        pdf = signed_pdf(certificate_pdf(content), key, reason=REASON, now=now)
        badge = signed_badge(content, key, public_url=self.public_url, issued_at=issued_at)
        return Paper(pdf=pdf, badge=badge, key_id=key.key_id)

    def extract(self, content: CertificateContent, line: int, *, now: datetime) -> bytes:
        """One body's credit alone, from the same certificate; `line` counts from 0."""
        key = self.keys.current(now=now)
        return signed_pdf(certificate_pdf(content, only=line), key, reason=REASON, now=now)
