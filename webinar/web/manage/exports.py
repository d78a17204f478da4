"""Lists for registries: looked through, made, downloaded again, marked as sent."""

import hashlib
from datetime import datetime

from flask import Response, flash, g, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user

from webinar.documents.registry_files import media_type, registry_csv, registry_xml
from webinar.domain.access import Action
from webinar.domain.eiv import OPERATION_WORDS, Operation
from webinar.domain.errors import DomainError, NotFound
from webinar.domain.registries import RegistryKind
from webinar.models import AccreditationGrant, WebinarSession
from webinar.services import sessions
from webinar.services.reports import exports, lists, post_event
from webinar.services.reports.lists import COLUMNS
from webinar.web.access import requires
from webinar.web.manage.blueprint import bp

NAMES: dict[RegistryKind, str] = {
    RegistryKind.EIV: "EIV: participants by EFN",
    RegistryKind.PARS_ACTIVITY: "PARS: the activity",
    RegistryKind.PARS_LEARNERS: "PARS: learners",
    RegistryKind.ESMO_MORA: "ESMO-MORA: participants and points",
}
FORMATS: dict[RegistryKind, tuple[str, ...]] = {
    RegistryKind.EIV: ("csv",),
    RegistryKind.PARS_ACTIVITY: ("xml", "csv"),
    RegistryKind.PARS_LEARNERS: ("xml", "csv"),
    RegistryKind.ESMO_MORA: ("csv",),
}
ROWS_SHOWN = 50
HELD_SHOWN = 200


@bp.get("/sessions/<public_id>/reports/<int:grant_id>/lists/<kind>")
@requires(Action.DECIDE_CREDIT)
def export_show(public_id: str, grant_id: int, kind: str) -> ResponseReturnValue:
    """The list as it would leave now, whom it leaves out and why, and what left before."""
    return _page(*_named(public_id, grant_id), _kind(kind))


@bp.post("/sessions/<public_id>/reports/<int:grant_id>/lists/<kind>")
@requires(Action.DECIDE_CREDIT)
def export_make(public_id: str, grant_id: int, kind: str) -> ResponseReturnValue:
    """Make the file, and log it."""
    session, grant = _named(public_id, grant_id)
    asked = _kind(kind)
    try:
        operation = _operation(request.form.get("operation", ""))
        looked = lists.prepare(g.db, session, grant, asked, now=g.now)
        chosen = exports.named(looked, operation)
        content = _content(session, asked, operation, chosen.rows, FORMATS[asked][0], g.now)
        exports.keep(
            g.db,
            grant,
            looked,
            operation,
            digest=hashlib.sha256(content).hexdigest(),
            actor_id=current_user.id,
            now=g.now,
        )
    except DomainError as refusal:
        g.db.rollback()
        return _page(*_named(public_id, grant_id), asked, str(refusal)), refusal.status
    g.db.commit()
    flash("The list is made. Download it below, hand it over, then mark it as sent.", "success")
    return _back(public_id, grant_id, asked)


@bp.get("/sessions/<public_id>/reports/<int:grant_id>/lists/<kind>/<int:export_id>")
@requires(Action.DECIDE_CREDIT)
def export_file(public_id: str, grant_id: int, kind: str, export_id: int) -> ResponseReturnValue:
    """A list as it was made, as a file."""
    session, grant = _named(public_id, grant_id)
    asked = _kind(kind)
    export = exports.export_named(g.db, grant, export_id)
    file_format = request.args.get("format", FORMATS[asked][0])
    if export.kind is not asked or file_format not in FORMATS[asked]:
        raise NotFound("There is no such file.")
    content = _content(session, asked, export.operation, export.rows, file_format, export.made_at)
    name = f"{asked.value}-{public_id}-{export.id}-{export.operation}.{file_format}"
    headers = {"Content-Disposition": f"attachment; filename={name}"}
    return Response(content, content_type=media_type(file_format), headers=headers)


@bp.post("/sessions/<public_id>/reports/<int:grant_id>/lists/<kind>/<int:export_id>/sent")
@requires(Action.DECIDE_CREDIT)
def export_sent(public_id: str, grant_id: int, kind: str, export_id: int) -> ResponseReturnValue:
    """The registry has it."""
    _, grant = _named(public_id, grant_id)
    asked = _kind(kind)
    try:
        export = exports.export_named(g.db, grant, export_id)
        exports.mark_sent(g.db, grant, export, actor_id=current_user.id, now=g.now)
    except DomainError as refusal:
        g.db.rollback()
        return _page(*_named(public_id, grant_id), asked, str(refusal)), refusal.status
    g.db.commit()
    flash(
        "Noted: the registry has this list. The next one holds what has changed since.", "success"
    )
    return _back(public_id, grant_id, asked)


def lists_offered(grant: AccreditationGrant) -> list[tuple[str, str]]:
    """The lists a grant's body asks for: address part and words."""
    return [(kind.value, NAMES[kind]) for kind in lists.fitting(grant)]


def _page(
    session: WebinarSession, grant: AccreditationGrant, kind: RegistryKind, problem: str = ""
) -> str:
    looked = lists.prepare(g.db, session, grant, kind, now=g.now)
    return render_template(
        "manage/export.html",
        session=session,
        grant=grant,
        kind=kind.value,
        name=NAMES[kind],
        looked=looked,
        columns=COLUMNS[kind],
        operations=OPERATION_WORDS,
        is_difference=kind is RegistryKind.EIV,
        formats=FORMATS[kind],
        made=exports.made(g.db, grant, kind),
        rows_shown=ROWS_SHOWN,
        held_shown=HELD_SHOWN,
        problem=problem,
    )


def _content(
    session: WebinarSession,
    kind: RegistryKind,
    operation: str,
    rows: lists.Rows,
    file_format: str,
    made_at: datetime,
) -> bytes:
    if file_format == "xml":
        return registry_xml(kind, rows, provider=session.society.name, made_at=made_at)
    return registry_csv(kind, operation, COLUMNS[kind], rows)


def _named(public_id: str, grant_id: int) -> tuple[WebinarSession, AccreditationGrant]:
    session = sessions.by_public_id(g.db, public_id)
    return session, post_event.grant_named(g.db, session, grant_id)


def _kind(text: str) -> RegistryKind:
    if text not in frozenset(RegistryKind):
        raise NotFound("There is no such list.")
    return RegistryKind(text)


def _operation(text: str) -> Operation:
    if text not in frozenset(Operation):
        raise exports.ExportRefused("Choose which list to make.")
    return Operation(text)


def _back(public_id: str, grant_id: int, kind: RegistryKind) -> ResponseReturnValue:
    return redirect(
        url_for("manage.export_show", public_id=public_id, grant_id=grant_id, kind=kind.value)
    )
