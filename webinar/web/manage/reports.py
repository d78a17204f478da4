"""Post-event reports: what is owed, each as a page and as files, signed and marked as sent."""

from dataclasses import dataclass
from datetime import date

from flask import Response, flash, g, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user

from webinar.documents.report import (
    JSON_TYPE,
    PDF_TYPE,
    Signature,
    report_csv,
    report_json,
    report_pdf,
    report_xlsx,
)
from webinar.documents.sheets import CSV_TYPE, XLSX_TYPE
from webinar.domain.access import Action
from webinar.domain.errors import DomainError
from webinar.domain.session import SessionStatus
from webinar.models import AccreditationGrant, PostEventReport, WebinarSession
from webinar.services import sessions
from webinar.services.reports import post_event
from webinar.services.reports.post_event import ReportWords
from webinar.web.access import requires
from webinar.web.manage import scope
from webinar.web.manage.blueprint import bp
from webinar.web.manage.exports import lists_offered
from webinar.web.manage.states import Mark

FILES = {
    "pdf": (report_pdf, PDF_TYPE),
    "xlsx": (report_xlsx, XLSX_TYPE),
    "csv": (report_csv, CSV_TYPE),
    "json": (report_json, JSON_TYPE),
}
LONGEST_REASON = 1_000


@dataclass(frozen=True)
class Line:
    """A report in a list."""

    grant: AccreditationGrant
    session: WebinarSession
    due_on: date
    mark: Mark
    is_late: bool

    @property
    def lists(self) -> list[tuple[str, str]]:
        """The lists its body asks for: address part and words."""
        return lists_offered(self.grant)


@bp.get("/reports")
@requires(Action.DECIDE_CREDIT)
def reports_owed() -> ResponseReturnValue:
    """Every report that has not been sent, the most urgent first."""
    owed = post_event.owed(g.db, society_ids=scope.society_ids(), now=g.now)
    lines = [
        Line(due.grant, due.session, due.due_on, _mark(due.report), due.due_on < g.now.date())
        for due in owed
    ]
    return render_template("manage/reports.html", lines=lines)


@bp.get("/sessions/<public_id>/reports")
@requires(Action.DECIDE_CREDIT)
def session_reports(public_id: str) -> ResponseReturnValue:
    """The reports of one session, one for each grant, and its lists for registries."""
    session = sessions.by_public_id(g.db, public_id)
    lines = []
    for grant in post_event.reportable(g.db, session):
        kept = post_event.words_of(g.db, grant)
        due_on = post_event.due_on_of(session, kept)
        late = due_on < g.now.date() and kept.sent_at is None
        lines.append(Line(grant, session, due_on, _mark(kept), late))
    return render_template("manage/session_reports.html", session=session, lines=lines)


@bp.get("/sessions/<public_id>/reports/<int:grant_id>")
@requires(Action.DECIDE_CREDIT)
def report_show(public_id: str, grant_id: int) -> ResponseReturnValue:
    """The report as a page; as a file with `format=pdf`, xlsx, csv or json."""
    session, grant = _named(public_id, grant_id)
    kind = request.args.get("format", "")
    if kind not in FILES:
        return _page(session, grant)
    make, content_type = FILES[kind]
    report = post_event.report_of(g.db, session, grant, now=g.now)
    kept = post_event.words_of(g.db, grant)
    try:
        content = make(report, _signature(session, kept))
    except DomainError as refusal:
        return _page(session, grant, str(refusal)), refusal.status
    name = f"report-{public_id}-{grant.accreditor.slug}-{grant.mode.value}.{kind}"
    headers = {"Content-Disposition": f"attachment; filename={name}"}
    return Response(content, content_type=content_type, headers=headers)


@bp.post("/sessions/<public_id>/reports/<int:grant_id>/count")
@requires(Action.DECIDE_CREDIT)
def report_count(public_id: str, grant_id: int) -> ResponseReturnValue:
    """Count everybody's evidence anew, and look again."""
    session, _ = _named(public_id, grant_id)
    post_event.refresh_figures(g.db, session, now=g.now)
    g.db.commit()
    flash("Everybody’s attendance is counted as of now.", "success")
    return _back(public_id, grant_id)


@bp.post("/sessions/<public_id>/reports/<int:grant_id>/words")
@requires(Action.DECIDE_CREDIT)
def report_words(public_id: str, grant_id: int) -> ResponseReturnValue:
    """Keep what people write beside the figures."""
    _, grant = _named(public_id, grant_id)
    try:
        words = ReportWords(
            changes=request.form.get("changes", ""),
            improvements=request.form.get("improvements", ""),
            sponsors=request.form.get("sponsors", ""),
            due_on=_day(request.form.get("due_on", "")),
        )
        post_event.save_words(g.db, grant, words, actor_id=current_user.id, now=g.now)
    except DomainError as refusal:
        return _refused(public_id, grant_id, refusal)
    g.db.commit()
    flash("What you wrote is kept.", "success")
    return _back(public_id, grant_id)


@bp.post("/sessions/<public_id>/reports/<int:grant_id>/sign")
@requires(Action.DECIDE_CREDIT)
def report_sign(public_id: str, grant_id: int) -> ResponseReturnValue:
    """Freeze the report under the chair's name."""
    session, grant = _named(public_id, grant_id)
    try:
        post_event.sign(
            g.db,
            session,
            grant,
            chair_name=request.form.get("chair_name", ""),
            chair_role=request.form.get("chair_role", ""),
            actor_id=current_user.id,
            now=g.now,
        )
    except DomainError as refusal:
        return _refused(public_id, grant_id, refusal)
    g.db.commit()
    flash("The report is signed. Download it and send it to the body.", "success")
    return _back(public_id, grant_id)


@bp.post("/sessions/<public_id>/reports/<int:grant_id>/reopen")
@requires(Action.DECIDE_CREDIT)
def report_reopen(public_id: str, grant_id: int) -> ResponseReturnValue:
    """Take the signature back, with a reason."""
    _, grant = _named(public_id, grant_id)
    reason = request.form.get("reason", "")[:LONGEST_REASON]
    try:
        post_event.take_back(g.db, grant, reason=reason, actor_id=current_user.id, now=g.now)
    except DomainError as refusal:
        return _refused(public_id, grant_id, refusal)
    g.db.commit()
    flash("The signature is taken back. What was signed stays in the audit trail.", "success")
    return _back(public_id, grant_id)


@bp.post("/sessions/<public_id>/reports/<int:grant_id>/sent")
@requires(Action.DECIDE_CREDIT)
def report_sent(public_id: str, grant_id: int) -> ResponseReturnValue:
    """The body has the report."""
    _, grant = _named(public_id, grant_id)
    try:
        post_event.mark_sent(g.db, grant, actor_id=current_user.id, now=g.now)
    except DomainError as refusal:
        return _refused(public_id, grant_id, refusal)
    g.db.commit()
    flash("Noted: the report is sent.", "success")
    return _back(public_id, grant_id)


def _named(public_id: str, grant_id: int) -> tuple[WebinarSession, AccreditationGrant]:
    session = sessions.by_public_id(g.db, public_id)
    return session, post_event.grant_named(g.db, session, grant_id)


def _page(session: WebinarSession, grant: AccreditationGrant, problem: str = "") -> str:
    kept = post_event.words_of(g.db, grant)
    report = post_event.report_of(g.db, session, grant, now=g.now)
    numbers = dict(report.figures)
    return render_template(
        "manage/report.html",
        session=session,
        grant=grant,
        kept=kept,
        mark=_mark(kept),
        due_on=post_event.due_on_of(session, kept),
        report=report,
        is_uncounted=numbers["attended"] == 0 and numbers["decided"] > 0,
        signature=_signature(session, kept),
        may_sign=session.status is SessionStatus.ENDED,
        typed=request.form if request.method == "POST" else {},
        problem=problem,
        lists=lists_offered(grant),
    )


def _signature(session: WebinarSession, kept: PostEventReport) -> Signature | None:
    if kept.signed_at is None:
        return None
    return Signature(
        name=kept.chair_name,
        role=kept.chair_role,
        signed_at=kept.signed_at,
        zone=session.zone,
    )


def _mark(kept: PostEventReport | None) -> Mark:
    if kept is None or kept.signed_at is None:
        return Mark("draft", "Not signed")
    if kept.sent_at is None:
        return Mark("opens", "Signed, not sent")
    return Mark("credit", "Sent")


def _day(text: str) -> date | None:
    if not text.strip():
        return None
    try:
        return date.fromisoformat(text.strip())
    except ValueError:
        raise post_event.ReportRefused("Write the day as 2026-12-24, or leave it empty.") from None


def _refused(public_id: str, grant_id: int, refusal: DomainError) -> ResponseReturnValue:
    g.db.rollback()
    return _page(*_named(public_id, grant_id), str(refusal)), refusal.status


def _back(public_id: str, grant_id: int) -> ResponseReturnValue:
    return redirect(url_for("manage.report_show", public_id=public_id, grant_id=grant_id))
