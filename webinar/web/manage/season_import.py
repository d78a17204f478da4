"""A season from a spreadsheet: looked through first, then imported as it was shown.

Between the two the table travels in the form, signed: nothing is kept on the server for a person
who never comes back, and what is confirmed is what was looked at.
"""

from collections.abc import Sequence

from flask import Response, current_app, flash, g, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user
from itsdangerous import BadData, URLSafeTimedSerializer

from webinar.documents.sheets import CSV_TYPE, XLSX_TYPE, as_csv, as_xlsx, read_sheet
from webinar.domain.access import Action
from webinar.domain.season_sheet import COLUMNS, MOST_ROWS, SheetRefused
from webinar.domain.wording import plural
from webinar.services import season_sheet
from webinar.services.season_sheet import Deed, Taken
from webinar.web.access import requires
from webinar.web.manage import scope
from webinar.web.manage.blueprint import bp
from webinar.web.manage.calendars import calendar

# A form's field may be half a megabyte; texts shrink to a third on the way.
LONGEST_SIGNED = 450_000
CONFIRM_WITHIN_SECONDS = 24 * 3600
WIDTHS = {"title": 40, "abstract": 50, "objectives": 40, "faculty": 50, "topics": 24, "zone": 16}
MARKS = {
    Deed.MAKES: "draft",
    Deed.FILLS: "draft",
    Deed.CHANGES: "moved",
    Deed.KEEPS: "closed",
    Deed.REFUSED: "cancelled",
}


@bp.get("/import")
@requires(Action.PLAN_SESSIONS)
def season_import() -> ResponseReturnValue:
    """Choose a file; every column explained."""
    return _page()


@bp.post("/import")
@requires(Action.PLAN_SESSIONS)
def season_import_check() -> ResponseReturnValue:
    """Look the file through: what it would do and what is wrong. Nothing is changed."""
    sent = request.files.get("file")
    if sent is None or not sent.filename:
        return _page("Choose a file first."), 422
    try:
        rows = read_sheet(sent.read())
        taken = _take_in(rows)
    except SheetRefused as refusal:
        return _page(str(refusal)), 422
    finally:
        g.db.rollback()
    return _looked_through(rows, taken)


@bp.post("/import/confirm")
@requires(Action.PLAN_SESSIONS)
def season_import_confirm() -> ResponseReturnValue:
    """Import what was looked through, if it still does just that."""
    try:
        rows: list[list[str]] = _signer().loads(
            request.form.get("table", ""), max_age=CONFIRM_WITHIN_SECONDS
        )
    except BadData:
        return _page("Too much time has passed since the file was read. Choose it again."), 422
    try:
        taken = _take_in(rows)
    except SheetRefused as refusal:
        g.db.rollback()
        return _page(str(refusal)), 422
    if not taken.is_clean or taken.digest != request.form.get("digest"):
        g.db.rollback()
        return _looked_through(rows, taken, has_changed=True)
    g.db.commit()
    flash(f"Imported: {_words(taken)}. Drafts are seen by organisers alone until you publish them.")
    return redirect(url_for("manage.sessions", when="all"))


@bp.get("/import/template")
@requires(Action.PLAN_SESSIONS)
def season_template() -> ResponseReturnValue:
    """The columns with one example, to fill in."""
    return sheet_response(season_sheet.template(), "season-template", request.args.get("format"))


def sheet_response(rows: Sequence[Sequence[str]], name: str, form: str | None) -> Response:
    """The table as a file to download: XLSX if asked for, else CSV."""
    if form == "xlsx":
        widths = [WIDTHS.get(column, 12) for column in rows[0]]
        response = Response(as_xlsx(rows, widths=widths), mimetype=XLSX_TYPE)
        ending = "xlsx"
    else:
        response = Response(as_csv(rows), content_type=CSV_TYPE)
        ending = "csv"
    response.headers["Content-Disposition"] = f"attachment; filename={name}.{ending}"
    return response


def _take_in(rows: Sequence[Sequence[str]]) -> Taken:
    return season_sheet.take_in(
        g.db,
        rows,
        society_ids=scope.society_ids(),
        home_zone=g.home_zone,
        actor_id=current_user.id,
        calendar=calendar(),
        now=g.now,
    )


def _looked_through(
    rows: list[list[str]], taken: Taken, *, has_changed: bool = False
) -> ResponseReturnValue:
    signed = _signer().dumps(rows)
    text = signed.decode() if isinstance(signed, bytes) else signed
    if len(text) > LONGEST_SIGNED:
        return _page("The texts of this table are too long for one import. Split it in two."), 422
    page = render_template(
        "manage/season_import_check.html",
        taken=taken,
        problems=[
            (outcome, problem)
            for outcome in taken.outcomes
            for problem in outcome.problems
            if not problem.is_warning
        ],
        words=_words(taken),
        marks=MARKS,
        refused=taken.number(Deed.REFUSED),
        table=text,
        has_changed=has_changed,
    )
    return page, 200 if taken.is_clean and not has_changed else 422


def _page(error: str = "") -> str:
    return render_template(
        "manage/season_import.html", columns=COLUMNS, error=error, most_rows=MOST_ROWS
    )


def _words(taken: Taken) -> str:
    """What the table does, in words: "48 new drafts, 2 changed, 1 without a change"."""
    made, filled = taken.number(Deed.MAKES), taken.number(Deed.FILLS)
    parts = [
        plural(made, "new draft") if made else "",
        f"{plural(filled, 'planned date')} filled" if filled else "",
        f"{plural(taken.number(Deed.CHANGES), 'session')} changed"
        if taken.number(Deed.CHANGES)
        else "",
        f"{plural(taken.number(Deed.KEEPS), 'row')} without a change"
        if taken.number(Deed.KEEPS)
        else "",
    ]
    return ", ".join(part for part in parts if part) or "nothing"


def _signer() -> URLSafeTimedSerializer:
    """For this person alone: a page of one cannot be confirmed by another."""
    return URLSafeTimedSerializer(
        current_app.config["SECRET_KEY"], salt=f"season import of {current_user.id}"
    )
