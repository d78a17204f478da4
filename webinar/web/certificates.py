"""Certificates as PDF for their owners, and for everybody the answer whether one is genuine."""

from flask import Blueprint, Response, g, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user

from webinar.documents.certificate import certificate_pdf
from webinar.domain.access import Action, may
from webinar.domain.certificate import MalformedNumber
from webinar.domain.errors import NotFound
from webinar.models import Certificate, WebinarSession
from webinar.services import certificates
from webinar.services.certificates import UnknownCertificate
from webinar.web.access import public, signed_in
from webinar.web.guards import limiter

bp = Blueprint("certificates", __name__)


@bp.get("/certificates/<number>.pdf")
@signed_in
def pdf(number: str) -> ResponseReturnValue:
    """The certificate, for who it is about and for the officers."""
    try:
        verified = certificates.verify(g.db, number)
    except MalformedNumber:
        raise NotFound("You have no such certificate.") from None
    certificate = verified.certificate
    is_owner = certificate.user_id == current_user.id
    if not is_owner and not _may_look(certificate):
        raise NotFound("You have no such certificate.")
    return Response(
        certificate_pdf(verified.content),
        mimetype="application/pdf",
        headers={
            "Content-Disposition": f'inline; filename="{certificate.number}.pdf"',
            "Cache-Control": "private, no-store",
        },
    )


@bp.get("/verify/")
@public
def ask() -> ResponseReturnValue:
    """Where a number is typed in."""
    number = request.args.get("number", "").strip()
    if number:
        return redirect(url_for("certificates.verify", number=number))
    return render_template("certificates/ask.html", number="", problem="")


@bp.get("/verify/<number>")
@public
@limiter.limit("30 per minute")
def verify(number: str) -> ResponseReturnValue:
    """Genuine, superseded, revoked, or not ours."""
    try:
        verified = certificates.verify(g.db, number)
    except (MalformedNumber, UnknownCertificate) as problem:
        is_typo = isinstance(problem, MalformedNumber)
        page = render_template(
            "certificates/unknown.html", number=number, problem=str(problem), is_typo=is_typo
        )
        return page, 404
    return render_template("certificates/verified.html", verified=verified)


def _may_look(certificate: Certificate) -> bool:
    """True for officers of the society whose session it is about."""
    session = g.db.get_one(WebinarSession, certificate.session_id)
    return may(current_user.roles_for(session.society_id), Action.DECIDE_CREDIT)
