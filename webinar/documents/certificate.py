"""The certificate as PDF: typst sets it, tagged (PDF/UA-1) and for the archive (PDF/A-2a)."""

import io
from datetime import date

import segno

from webinar.documents.archive_pdf import archive_pdf
from webinar.domain.attendance import ViewingMode
from webinar.domain.certificate import CertificateContent, CreditLine
from webinar.domain.figures import plain_credit
from webinar.domain.wording import LONG_MONTHS

FORMATS = {
    ViewingMode.LIVE: "Live internet event, attended as it happened",
    ViewingMode.RECORDED: "Recording of a live internet event, watched afterwards",
    ViewingMode.FACULTY: "Live internet event, as a member of its faculty",
}
DEEDS = {
    ViewingMode.LIVE: "attended",
    ViewingMode.RECORDED: "watched the recording of",
    ViewingMode.FACULTY: "presented in",
}


def certificate_pdf(content: CertificateContent, *, only: int | None = None) -> bytes:
    """The certificate; the same content gives the same bytes, and no clock is read.

    With `only`, an extract: one of its lines (counted from 0), for the body that wants its own.
    Raises UnprintableText for writing that the embedded fonts do not have (Chinese, emoji).
    """
    return archive_pdf(
        "certificate.typ",
        "certificate",
        _words(content, only),
        otherwise="Write it in Latin, Greek, Cyrillic, Hebrew or Arabic letters.",
    )


def _words(content: CertificateContent, only: int | None) -> dict[str, object]:
    """All that the template shows, as text: it sets, and decides nothing."""
    hours, minutes = divmod(content.minutes_attended, 60)
    lines = content.lines if only is None else (content.lines[only],)
    return {
        "number": content.number,
        "person": content.person_name,
        "title": content.title,
        "series": content.series,
        "held": content.held,
        "deed": DEEDS[content.mode],
        "format": FORMATS[content.mode],
        "attended": _duration(hours, minutes),
        "provider": content.provider,
        "initials": _initials(content.provider),
        "provider_legal_name": content.provider_legal_name,
        "auspices": content.auspices,
        "lines": [_line(line) for line in lines],
        "extract": _extract_note(content, len(lines)),
        "faculty": list(content.faculty),
        "disclosures_url": content.disclosures_url,
        "issued": f"Issued {content.place}, {_long_date(content.issued_on)}",
        "issued_year": content.issued_on.year,
        "issued_month": content.issued_on.month,
        "issued_day": content.issued_on.day,
        "signatory": content.signatory,
        "signatory_role": content.signatory_role,
        "supersedes": content.supersedes,
        "verify_url": content.verify_url,
        "digest": content.digest,
        "qr": _qr_svg(content.verify_url),
    }


def _line(line: CreditLine) -> dict[str, str]:
    return {
        "body": line.body,
        "credits": plain_credit(line.credits),
        "unit": line.unit,
        "reference": line.reference,
        "statement": line.statement,
        "basis": line.basis,
    }


def _extract_note(content: CertificateContent, shown: int) -> str:
    if shown == len(content.lines):
        return ""
    return f"Extract: {shown} of the {len(content.lines)} credits of certificate {content.number}."


def _long_date(day: date) -> str:
    return f"{day.day} {LONG_MONTHS[day.month - 1]} {day.year}"


def _initials(provider: str) -> str:
    if provider.isupper() and len(provider) <= 5:
        return provider  # ESSO is its own initials
    words = [word for word in provider.split() if word[0].isupper()]
    return "".join(word[0] for word in words[:4])


def _duration(hours: int, minutes: int) -> str:
    parts = []
    if hours:
        parts.append(f"{hours} hour{'s' if hours > 1 else ''}")
    if minutes or not hours:
        parts.append(f"{minutes} minute{'s' if minutes != 1 else ''}")
    return " ".join(parts)


def _qr_svg(address: str) -> str:
    svg = io.BytesIO()
    segno.make_qr(address, error="m").save(svg, kind="svg", border=0, dark="#1f2328", xmldecl=False)
    return svg.getvalue().decode()
