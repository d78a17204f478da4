"""Certificates on the officer's desk: look one up, take it back, issue it anew."""

from flask import current_app, flash, g, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user

from webinar.domain.access import Action
from webinar.domain.certificate import MalformedNumber
from webinar.domain.errors import Conflict, DomainError, NotFound
from webinar.models import User, WebinarSession
from webinar.services import certificate_papers, certificates
from webinar.services.certificates import UnknownCertificate, Verified
from webinar.web.access import requires
from webinar.web.manage.blueprint import bp
from webinar.web.manage.scope import ensure_society


@bp.get("/certificates/")
@requires(Action.DECIDE_CREDIT)
def certificates_find() -> ResponseReturnValue:
    """Where an officer types a number."""
    typed = request.args.get("number", "").strip()
    problem = ""
    if typed:
        try:
            number = certificates.verify(g.db, typed).certificate.number
        except (MalformedNumber, UnknownCertificate) as wrong:
            problem = str(wrong)
        else:
            return redirect(url_for("manage.certificate", number=number))
    return render_template("manage/certificates.html", typed=typed, problem=problem)


@bp.get("/certificates/<number>")
@requires(Action.DECIDE_CREDIT)
def certificate(number: str) -> ResponseReturnValue:
    """What it says, its signature, and every one issued to the person for this session."""
    return _page(_found(number), {}, "")


@bp.post("/certificates/<number>/revoke")
@requires(Action.DECIDE_CREDIT)
def certificate_revoke(number: str) -> ResponseReturnValue:
    """Take it back; its page stays and says why."""
    verified = _found(number)
    reason = request.form.get("reason", "")
    try:
        certificates.revoke(g.db, number, actor_id=current_user.id, reason=reason, now=g.now)
    except Conflict:
        raise
    except DomainError as wrong:
        return _page(verified, {"reason": str(wrong)}, reason), 422
    g.db.commit()
    flash(
        f"{verified.certificate.number} is revoked. Its page says so, with the reason.", "success"
    )
    return redirect(url_for("manage.certificate", number=verified.certificate.number), code=303)


@bp.post("/certificates/<number>/reissue")
@requires(Action.DECIDE_CREDIT)
def certificate_reissue(number: str) -> ResponseReturnValue:
    """Issue it anew with what account, session and grants say today."""
    verified = _found(number)
    reason = request.form.get("reissue_reason", "")
    try:
        fresh = certificates.reissue(
            g.db,
            number,
            actor_id=current_user.id,
            reason=reason,
            public_url=current_app.config["PUBLIC_URL"],
            now=g.now,
        )
    except Conflict:
        raise
    except DomainError as wrong:
        return _page(verified, {"reissue_reason": str(wrong)}, reason), 422
    g.db.commit()
    flash(f"{fresh.number} takes its place. The person gets a mail.", "success")
    return redirect(url_for("manage.certificate", number=fresh.number), code=303)


def _found(number: str) -> Verified:
    try:
        verified = certificates.verify(g.db, number)
    except (MalformedNumber, UnknownCertificate) as wrong:
        raise NotFound(str(wrong)) from None
    session = g.db.get_one(WebinarSession, verified.certificate.session_id)
    ensure_society(session.society_id)
    return verified


def _page(verified: Verified, errors: dict[str, str], typed: str) -> str:
    certificate = verified.certificate
    return render_template(
        "manage/certificate.html",
        verified=verified,
        session=g.db.get_one(WebinarSession, certificate.session_id),
        holder=g.db.get_one(User, certificate.user_id),
        paper=certificate_papers.of_certificate(g.db, certificate.id),
        history=certificates.history_of(g.db, certificate),
        errors=errors,
        typed=typed,
    )
