"""What is kept about a person: the copy they can take, and the end of their account."""

import io
import json
import zipfile

from flask import (
    Blueprint,
    Response,
    current_app,
    flash,
    g,
    redirect,
    render_template,
    request,
    url_for,
)
from flask import session as cookie  # noqa: TID251 - leaving empties the cookie
from flask.typing import ResponseReturnValue
from flask_login import current_user, logout_user

from webinar.services import erasure, own_data
from webinar.services.erasure import NotProved
from webinar.services.roles import LastAdministrator
from webinar.web.access import signed_in
from webinar.web.guards import limiter

bp = Blueprint("own_data", __name__, url_prefix="/my/account")

README = """What is kept about you
======================

Made {made} for {email}, from {site}.

One file for each kind of record, as JSON: a list with one entry for each. Times are in UTC.
"session_id" names a session; session.json says which it is. Certificates lie beside them as the
PDF files that were issued to you.

user.json            your account
registration.json    your places in sessions
viewing_pass.json    every page load of a player, and watch_segment.json what was played under it
credit_decision.json what was decided about your credit, with everything it was decided from
delivery.json        which mails went to you and when
audit_event.json     changes to your account; acts.json what you did for others

Your answers to evaluations are not in it: they are kept without your name. Passwords and secrets
in addresses are not in it either; only their fingerprints are kept.
"""


@bp.get("/data.zip")
@signed_in
@limiter.limit("10 per hour")
def download() -> ResponseReturnValue:
    """Everything that is kept about the person, as one file."""
    listed = list(own_data.tables_of(g.db, current_user.id))
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        told = README.format(
            made=g.now.strftime("%Y-%m-%d %H:%M UTC"),
            email=current_user.email,
            site=current_app.config["PUBLIC_URL"],
        )
        archive.writestr("README.txt", told)
        for table in (*listed, own_data.sessions_of(g.db, listed)):
            text = json.dumps(table.rows, indent=1, ensure_ascii=False)
            archive.writestr(f"{table.table}.json", text)
        for number, pdf in own_data.papers_of(g.db, current_user.id):
            archive.writestr(f"certificates/{number}.pdf", pdf)
    answer = Response(packed.getvalue(), mimetype="application/zip")
    answer.headers["Content-Disposition"] = 'attachment; filename="my-data.zip"'
    answer.headers["Cache-Control"] = "no-store"
    return answer


@bp.get("/delete")
@signed_in
def leave() -> ResponseReturnValue:
    """What goes and what stays, and the form."""
    return _page(request.args.get("proof", ""), {})


@bp.post("/delete/link")
@signed_in
@limiter.limit("5 per hour")
def ask_for_proof() -> ResponseReturnValue:
    """Mail a link to who has no password, or has forgotten it."""
    erasure.ask_for_proof(g.db, current_user, now=g.now)
    g.db.commit()
    flash(f"A link is on its way to {current_user.email}. It leads back to this page.", "success")
    return redirect(url_for("own_data.leave"), code=303)


@bp.post("/delete")
@signed_in
@limiter.limit("10 per hour")
def delete() -> ResponseReturnValue:
    """Delete the account, if it is theirs and they mean it."""
    proof = request.form.get("proof", "")
    try:
        erasure.ensure_proved(
            g.db,
            current_user,
            email=request.form.get("email", ""),
            password=request.form.get("password", ""),
            proof=proof,
            now=g.now,
        )
        erasure.erase(
            g.db, current_user.id, actor_id=current_user.id, reason="by themselves", now=g.now
        )
    except NotProved as refusal:
        return _page(proof, {refusal.field: str(refusal)}), refusal.status
    except LastAdministrator:
        g.db.rollback()
        words = "You are the only administrator. Make somebody else one first."
        return _page(proof, {"email": words}), 409
    g.db.commit()
    logout_user()
    cookie.clear()
    flash("Your account is deleted. Certificates you hold stay valid.", "success")
    return redirect("/", code=303)


def _page(proof: str, problems: dict[str, str]) -> str:
    is_proved = erasure.is_proved_by_mail(g.db, current_user.id, proof, now=g.now)
    return render_template(
        "my/delete.html",
        problems=problems,
        typed=request.form.get("email", ""),
        has_password=erasure.has_proving_password(g.db, current_user),
        is_proved=is_proved,
        proof=proof if is_proved else "",
        years=current_app.config["KEEP_EVIDENCE_YEARS"],
    )
