"""The transcript as PDF (typst, PDF/UA-1 and PDF/A-2a) and as CSV."""

from collections.abc import Sequence
from datetime import date

from webinar.documents.archive_pdf import archive_pdf
from webinar.documents.sheets import as_csv
from webinar.domain.figures import plain_credit
from webinar.domain.transcript import BodyYear, Entry, Year
from webinar.domain.wording import LONG_MONTHS

COLUMNS = (
    "Date", "Session", "Provider", "How", "Minutes", "Body", "Reference", "Credit", "Unit",
    "Certificate",
)  # fmt: skip


def transcript_pdf(
    years: Sequence[Year], *, person: str, site: str, verify_url: str, made_on: date
) -> bytes:
    """The transcript; `verify_url` is where numbers are checked. Raises UnprintableText."""
    return archive_pdf(
        "transcript.typ",
        "transcript",
        {
            "person": person,
            "site": site,
            "verify_url": verify_url,
            "made": _long_date(made_on),
            "year": made_on.year,
            "month": made_on.month,
            "day": made_on.day,
            "years": [
                {"year": str(year.year), "bodies": [_body(body) for body in year.bodies]}
                for year in years
            ],
        },
        otherwise="Write it in Latin, Greek, Cyrillic, Hebrew or Arabic letters.",
    )


def transcript_csv(years: Sequence[Year]) -> bytes:
    """One row for each session and body, dates as 2026-11-26, credit with a point."""
    rows = [_row(entry) for year in years for body in year.bodies for entry in body.entries]
    return as_csv([COLUMNS, *rows])


def _row(entry: Entry) -> tuple[str, ...]:
    return (
        entry.day.isoformat(),
        entry.title,
        entry.provider,
        entry.how,
        str(entry.minutes),
        entry.body,
        entry.reference,
        plain_credit(entry.credit),
        entry.unit,
        entry.certificate,
    )


def _body(body: BodyYear) -> dict[str, object]:
    return {
        "body": body.body,
        "unit": body.unit,
        "credit": plain_credit(body.credit),
        "entries": [
            {
                "day": f"{entry.day.day} {LONG_MONTHS[entry.day.month - 1]}",
                "title": entry.title,
                "how": f"{entry.provider}; {entry.how}, {entry.minutes} min",
                "reference": entry.reference,
                "credit": plain_credit(entry.credit),
                "certificate": entry.certificate,
            }
            for entry in body.entries
        ],
    }


def _long_date(day: date) -> str:
    return f"{day.day} {LONG_MONTHS[day.month - 1]} {day.year}"
