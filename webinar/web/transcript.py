"""A person's transcript: what they earned, by year and body, to read and to take along."""

from dataclasses import dataclass

from flask import Blueprint, Response, current_app, g, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user

from webinar.documents.sheets import CSV_TYPE
from webinar.documents.transcript import transcript_csv, transcript_pdf
from webinar.domain.timezone import to_local
from webinar.domain.transcript import Entry, Year, by_year
from webinar.services import transcripts
from webinar.web.access import signed_in
from webinar.web.numbers import whole_number

bp = Blueprint("transcript", __name__)


@dataclass(frozen=True)
class Wish:
    """Which part of the transcript; 0 and "" for all."""

    year: int
    body: str

    def fits(self, entry: Entry) -> bool:
        """True if the entry is wished for."""
        return self.year in (0, entry.day.year) and self.body in ("", entry.body)


@bp.get("/my/transcript")
@signed_in
def show() -> ResponseReturnValue:
    """Every credit, by year and body, with the ways to take it along."""
    entries = transcripts.entries_of(g.db, current_user.id)
    wish = _wish()
    return render_template(
        "my/transcript.html",
        years=_years(entries, wish),
        wish=wish,
        has_any=bool(entries),
        year_choices=[
            ("", "Every year"),
            *((str(year), str(year)) for year in sorted({e.day.year for e in entries})[::-1]),
        ],
        body_choices=[
            ("", "Every body"),
            *((body, body) for body in sorted({e.body for e in entries}, key=str.casefold)),
        ],
        pdf=url_for("transcript.pdf", year=wish.year or None, body=wish.body or None),
        csv=url_for("transcript.csv", year=wish.year or None, body=wish.body or None),
    )


@bp.get("/my/transcript.pdf")
@signed_in
def pdf() -> ResponseReturnValue:
    """The same as PDF, made as it is asked for."""
    data = transcript_pdf(
        _years(transcripts.entries_of(g.db, current_user.id), _wish()),
        person=current_user.name,
        site=current_app.config["SITE_NAME"],
        verify_url=f"{current_app.config['PUBLIC_URL']}/verify/",
        made_on=to_local(g.now, current_app.config["HOME_ZONE"]).date(),
    )
    return _download(data, "application/pdf", "transcript.pdf")


@bp.get("/my/transcript.csv")
@signed_in
def csv() -> ResponseReturnValue:
    """The same as CSV."""
    years = _years(transcripts.entries_of(g.db, current_user.id), _wish())
    return _download(transcript_csv(years), CSV_TYPE, "transcript.csv")


def _years(entries: list[Entry], wish: Wish) -> tuple[Year, ...]:
    return by_year(entry for entry in entries if wish.fits(entry))


def _wish() -> Wish:
    return Wish(whole_number(request.args.get("year", "")) or 0, request.args.get("body", ""))


def _download(data: bytes, mimetype: str, name: str) -> Response:
    return Response(
        data,
        content_type=mimetype,
        headers={
            "Content-Disposition": f'attachment; filename="{name}"',
            "Cache-Control": "private, no-store",
        },
    )
