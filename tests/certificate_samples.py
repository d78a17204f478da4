"""A certificate's content, and keys to sign it with, for tests of papers."""

from datetime import UTC, date, datetime
from decimal import Decimal
from functools import cache
from pathlib import Path
from tempfile import mkdtemp

from webinar.documents.certificate_press import CertificatePress
from webinar.documents.signing_keys import SigningKeys
from webinar.domain.attendance import ViewingMode
from webinar.domain.certificate import CertificateContent, CreditLine
from webinar.domain.certificate_paper import Paper

NOW = datetime(2026, 11, 26, 19, 30, tzinfo=UTC)
URL = "https://webinar.example"
EACCME = CreditLine(
    body="EACCME",
    credits=Decimal("0.50"),
    unit="ECMEC",
    reference="LEE-2026-00001",
    statement="Accredited by the EACCME with 0.5 European CME credits (ECMECs).",
)
ESMO = CreditLine(
    body="ESMO-MORA",
    credits=Decimal(1),
    unit="point",
    reference="",
    statement="Accredited with 1 ESMO-MORA point.",
)
CONTENT = CertificateContent(
    number="WCS-TA8G-C8CE-XS1Y",
    person_name="Dr. Ελένη Παπαδοπούλου-Šimić",
    title="Axillary surgery after neoadjuvant treatment",
    series="e-grandrounds",
    held="Thursday 26 November 2026, 18:15–19:00 CET (Zurich)",
    mode=ViewingMode.LIVE,
    provider="Demo School of Oncology",
    provider_legal_name="Demo School of Oncology, Zurich",
    auspices="under the auspices of the Demo Society",
    lines=(EACCME, ESMO),
    minutes_attended=43,
    faculty=("Prof. Jana Nováková", "Dr. Luca Rossi"),
    disclosures_url=f"{URL}/sessions/k3Jd9w",
    issued_on=date(2026, 11, 26),
    signatory="Prof. Jana Nováková",
    signatory_role="scientific chair",
    verify_url=f"{URL}/verify/WCS-TA8G-C8CE-XS1Y",
)


@cache
def sample_keys() -> SigningKeys:
    """A key store of its own: made once a test process, for making a key takes a while."""
    return SigningKeys(Path(mkdtemp(prefix="signing-")), "Demo School of Oncology")


@cache
def sample_paper() -> Paper:
    """The sample certificate, set and signed."""
    return CertificatePress(sample_keys(), URL).paper(CONTENT, issued_at=NOW, now=NOW)
