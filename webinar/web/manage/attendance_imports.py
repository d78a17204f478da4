"""Attendance reports of other programs: brought in, looked at person by person, taken back."""

import hashlib
from dataclasses import dataclass

from flask import current_app, flash, g, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user
from werkzeug.exceptions import RequestEntityTooLarge

from webinar.documents.attendance_reports.reading import read_report
from webinar.documents.attendance_reports.text import MOST_BYTES
from webinar.domain.access import Action
from webinar.domain.attendance_report import SOURCE_NAMES, ReportSource, ZoneWanted
from webinar.domain.errors import DomainError
from webinar.domain.review import MatchedBy
from webinar.domain.timezone import to_local, zone_names
from webinar.domain.wording import media_time, plural
from webinar.models import AttendanceImport, ImportedVisit, WebinarSession
from webinar.services import sessions
from webinar.services.evidence import imports, reviews
from webinar.services.evidence.imports import SameFile
from webinar.services.evidence.reviews import Figures
from webinar.web.access import requires
from webinar.web.guards import csrf
from webinar.web.manage.blueprint import bp
from webinar.web.numbers import whole_number

FORM_BYTES = 64 * 1024  # what stands around the file on its way
PAGE_SIZE = 50
PATH = "/sessions/<public_id>/attendance"
SHOWN = {
    "waiting": ("To look at", (MatchedBy.NOBODY,)),
    "known": ("Known", (MatchedBy.ADDRESS, MatchedBy.PSEUDONYM, MatchedBy.HAND)),
    "dismissed": ("None of ours", (MatchedBy.DISMISSED,)),
}
HOW = {
    MatchedBy.ADDRESS: "by the e-mail address",
    MatchedBy.PSEUDONYM: "by the neutral name or number of our room",
    MatchedBy.HAND: "looked at by a person",
}


class NoFile(DomainError):
    """There is nothing to read."""


@dataclass(frozen=True)
class Imported:
    """An import as the list shows it."""

    file: AttendanceImport
    source: str
    figures: Figures


@dataclass(frozen=True)
class Stay:
    """One visit in words: hours in the session's zone."""

    id: int
    row: int
    hours: str
    length: str
    meeting: str


@bp.get(PATH)
@requires(Action.DECIDE_CREDIT)
def attendance_imports(public_id: str) -> ResponseReturnValue:
    """What was brought in so far, and the form for one more report."""
    return _list_page(sessions.by_public_id(g.db, public_id), {})


@bp.post(PATH)
@requires(Action.DECIDE_CREDIT)
def attendance_import(public_id: str) -> ResponseReturnValue:
    """Take in a report."""
    session = sessions.by_public_id(g.db, public_id)
    try:
        content, filename, zone = _sent()
        report = read_report(
            content,
            zone=zone or None,
            around=to_local(session.starts_at, session.zone).date(),
        )
        file = imports.take_in(
            g.db,
            session.id,
            report,
            filename=filename,
            digest=hashlib.sha256(content).hexdigest(),
            actor_id=current_user.id,
            now=g.now,
        )
    except SameFile as refusal:
        g.db.rollback()
        flash(str(refusal), "error")
        return _to_import(public_id, refusal.import_id)
    except DomainError as refusal:
        g.db.rollback()
        field = "zone" if isinstance(refusal, ZoneWanted) else "file"
        session = sessions.by_public_id(g.db, public_id)
        return _list_page(session, {field: str(refusal)}), refusal.status
    count = reviews.figures(g.db, [file.id])[file.id]
    g.db.commit()
    flash(
        f"{plural(len(report.visits), 'visit')} read: {count.known} known, "
        f"{count.waiting} to look at. Credit is decided anew within a minute.",
        "success",
    )
    return _to_import(public_id, file.id)


csrf.exempt(attendance_import)


@bp.get(f"{PATH}/<int(max=2147483647):import_id>")
@requires(Action.DECIDE_CREDIT)
def attendance_review(public_id: str, import_id: int) -> ResponseReturnValue:
    """One report: who is known, who waits for a look."""
    session = sessions.by_public_id(g.db, public_id)
    file = imports.by_id(g.db, session.id, import_id)
    count = reviews.figures(g.db, [file.id])[file.id]
    numbers = {"waiting": count.waiting, "known": count.known, "dismissed": count.dismissed}
    asked = request.args.get("show", "")
    show = asked if asked in SHOWN else "waiting" if count.waiting or not count.known else "known"
    page = max(1, whole_number(request.args.get("page", ""), digits=4) or 1)
    found = reviews.people(
        g.db, file, SHOWN[show][1], limit=PAGE_SIZE + 1, offset=(page - 1) * PAGE_SIZE
    )

    def part(name: str, number: int = 1) -> str:
        return url_for(
            "manage.attendance_review",
            public_id=public_id,
            import_id=import_id,
            show=name,
            page=number if number > 1 else None,
        )

    return render_template(
        "manage/attendance_import.html",
        session=session,
        file=file,
        source=_source_name(file),
        figures=count,
        show=show,
        views=[
            (words, part(name), name == show, numbers[name]) for name, (words, _) in SHOWN.items()
        ],
        people=[(one, _stays(one.visits, session)) for one in found[:PAGE_SIZE]],
        how=HOW,
        earlier=part(show, page - 1) if page > 1 else "",
        later=part(show, page + 1) if len(found) > PAGE_SIZE else "",
    )


@bp.get(f"{PATH}/<int(max=2147483647):import_id>/<int(max=2147483647):visit_id>")
@requires(Action.DECIDE_CREDIT)
def attendance_person(public_id: str, import_id: int, visit_id: int) -> ResponseReturnValue:
    """Somebody in the report: which of their visits, and whose they are."""
    session = sessions.by_public_id(g.db, public_id)
    file = imports.by_id(g.db, session.id, import_id)
    one = reviews.somebody(g.db, file, visit_id)
    words = request.args.get("words", "").strip()[:200]
    found = reviews.search(g.db, file, words) if words else list(one.suggested)
    stays = _stays(one.visits, session)
    return render_template(
        "manage/attendance_person.html",
        session=session,
        file=file,
        source=_source_name(file),
        one=one,
        stay_choices=[(stay.id, f"{stay.hours} ({stay.length})") for stay in stays],
        stay_ids=[stay.id for stay in stays],
        how=HOW,
        matched_by=one.visits[0].matched_by,
        words=words,
        found=found,
        people_choices=[(user.id, f"{user.name}, {user.email}") for user in found],
    )


@bp.post(f"{PATH}/<int(max=2147483647):import_id>/review")
@requires(Action.DECIDE_CREDIT)
def attendance_decide(public_id: str, import_id: int) -> ResponseReturnValue:
    """Whose some visits are, that they are nobody's, or that this was wrong."""
    session = sessions.by_public_id(g.db, public_id)
    file = imports.locked(g.db, session.id, import_id)
    visit_ids = [number for text in request.form.getlist("visit") if (number := whole_number(text))]
    deed = request.form.get("deed", "")
    actor_id = current_user.id
    if deed == "dismiss":
        reviews.dismiss(g.db, file, visit_ids, actor_id=actor_id, now=g.now)
        said = f"{plural(len(visit_ids), 'visit')} noted as none of ours."
    elif deed == "undo":
        reviews.undo(g.db, file, visit_ids, actor_id=actor_id, now=g.now)
        said = f"{plural(len(visit_ids), 'visit')} to look at again."
    else:
        user_id = whole_number(request.form.get("user", "")) or 0
        reviews.assign(g.db, file, visit_ids, user_id, actor_id=actor_id, now=g.now)
        said = f"{plural(len(visit_ids), 'visit')} counted for this person."
    g.db.commit()
    flash(f"{said} Credit is decided anew within a minute.", "success")
    return _to_import(public_id, import_id)


@bp.post(f"{PATH}/<int(max=2147483647):import_id>/withdraw")
@requires(Action.DECIDE_CREDIT)
def attendance_withdraw(public_id: str, import_id: int) -> ResponseReturnValue:
    """The report counts no more."""
    session = sessions.by_public_id(g.db, public_id)
    reason = request.form.get("reason", "")
    imports.withdraw(
        g.db, session.id, import_id, actor_id=current_user.id, reason=reason, now=g.now
    )
    g.db.commit()
    flash("The report is withdrawn. Credit is decided anew within a minute.", "success")
    return _to_import(public_id, import_id)


@bp.post(f"{PATH}/<int(max=2147483647):import_id>/restore")
@requires(Action.DECIDE_CREDIT)
def attendance_restore(public_id: str, import_id: int) -> ResponseReturnValue:
    """A withdrawn report counts again."""
    session = sessions.by_public_id(g.db, public_id)
    imports.restore(g.db, session.id, import_id, actor_id=current_user.id, now=g.now)
    g.db.commit()
    flash("The report counts again. Credit is decided anew within a minute.", "success")
    return _to_import(public_id, import_id)


def _sent() -> tuple[bytes, str, str]:
    """The file, its name, and the zone chosen for it; raises NoFile, CSRFError."""
    request.max_content_length = MOST_BYTES + FORM_BYTES
    try:
        if current_app.config["WTF_CSRF_ENABLED"]:
            csrf.protect()
        sent, zone = request.files.get("file"), request.form.get("zone", "")
        content = b""
        if sent is not None:
            content = sent.read()
            sent.close()
    except RequestEntityTooLarge as too_large:
        raise NoFile(
            f"The file has more than {MOST_BYTES // 1_000_000} MB. Import it in parts."
        ) from too_large
    if sent is None or not content:
        raise NoFile("Choose a file first.")
    name = (sent.filename or "report").replace("\\", "/").rpartition("/")[2]
    return content, name, zone


def _list_page(session: WebinarSession, errors: dict[str, str]) -> str:
    files = imports.of_session(g.db, session.id)
    figures = reviews.figures(g.db, [file.id for file in files])
    try:
        zone = request.form.get("zone", "")
    except RequestEntityTooLarge:
        zone = ""
    return render_template(
        "manage/attendance_imports.html",
        session=session,
        imported=[Imported(file, _source_name(file), figures[file.id]) for file in files],
        zones=[("", "As the file says"), *((name, name) for name in zone_names())],
        zone=zone,
        errors=errors,
    )


def _to_import(public_id: str, import_id: int) -> ResponseReturnValue:
    return redirect(
        url_for("manage.attendance_review", public_id=public_id, import_id=import_id), 303
    )


def _source_name(file: AttendanceImport) -> str:
    known = frozenset(ReportSource)
    return SOURCE_NAMES[ReportSource(file.source)] if file.source in known else file.source


def _stays(visits: tuple[ImportedVisit, ...], session: WebinarSession) -> list[Stay]:
    return [
        Stay(
            id=visit.id,
            row=visit.row,
            hours=(
                f"{to_local(visit.joined_at, session.zone):%H:%M:%S} to "
                f"{to_local(visit.left_at, session.zone):%H:%M:%S}"
            ),
            length=media_time((visit.left_at - visit.joined_at).total_seconds()),
            meeting=visit.meeting,
        )
        for visit in visits
    ]
