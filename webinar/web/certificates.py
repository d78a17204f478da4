"""Certificates as PDF for their owners, and for everybody the answer whether one is genuine."""

import json

from flask import Blueprint, Response, current_app, g, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user

from webinar.db import open_db
from webinar.documents.badge import public_jwk, read_badge
from webinar.documents.certificate_press import CertificatePress
from webinar.documents.signature_check import BadSignature, check_signature
from webinar.documents.signing_keys import key_id_of
from webinar.domain.access import Action, may
from webinar.domain.certificate import MalformedNumber
from webinar.domain.errors import NotFound
from webinar.models import Certificate, CertificatePaper, WebinarSession
from webinar.services import certificate_papers, certificates
from webinar.services.certificates import Standing, UnknownCertificate, Verified
from webinar.tools import certificate_press
from webinar.web.access import public, signed_in
from webinar.web.guards import limiter

bp = Blueprint("certificates", __name__)

NONE_SUCH = "You have no such certificate."
PRIVATE = "private, no-store"
LARGEST_FILE_BYTES = 1_000_000


@bp.get("/certificates/<number>.pdf")
@signed_in
def pdf(number: str) -> ResponseReturnValue:
    """The certificate as it was signed, for who it is about and for the officers."""
    verified = _own(number)
    return _download(_paper(verified).pdf, "application/pdf", f"{verified.certificate.number}.pdf")


@bp.get("/certificates/<number>/<int:line>.pdf")
@signed_in
def extract(number: str, line: int) -> ResponseReturnValue:
    """One body's credit alone (lines count from 1), signed as it is asked for."""
    verified = _own(number)
    if not 1 <= line <= len(verified.content.lines):
        raise NotFound(NONE_SUCH)
    data = _press().extract(verified.content, line - 1, now=g.now)
    return _download(data, "application/pdf", f"{verified.certificate.number}-{line}.pdf")


@bp.get("/certificates/<number>.jwt")
@signed_in
def badge(number: str) -> ResponseReturnValue:
    """The certificate as an Open Badges credential, for a wallet."""
    verified = _own(number)
    token = _paper(verified).badge
    return _download(token.encode(), "application/vc+jwt", f"{verified.certificate.number}.jwt")


@bp.get("/certificates/<number>.json")
@signed_in
def badge_json(number: str) -> ResponseReturnValue:
    """The same credential to read: what the signed one says."""
    verified = _own(number)
    payload = read_badge(_paper(verified).badge)
    text = json.dumps(payload, indent=2, ensure_ascii=False)
    return _download(text.encode(), "application/json", f"{verified.certificate.number}.json")


@bp.get("/verify/")
@public
def ask() -> ResponseReturnValue:
    """Where a number is typed in, or a file given."""
    number = request.args.get("number", "").strip()
    if number:
        return redirect(url_for("certificates.verify", number=number))
    return render_template("certificates/ask.html", number="", problem="")


@bp.post("/verify/")
@public
@limiter.limit("30 per minute")
def check_file() -> ResponseReturnValue:
    """Whether a PDF is ours to the last bit; then its page, which says what it is worth."""
    given = request.files.get("file")
    data = given.stream.read(LARGEST_FILE_BYTES) if given is not None else b""
    if not data:
        problem = "Choose the certificate's PDF first."
        return render_template("certificates/ask.html", number="", problem=problem), 422
    certificate = certificate_papers.by_file(g.db, data)
    if certificate is not None:
        return redirect(
            url_for("certificates.verify", number=certificate.number, file="same"), code=303
        )
    try:
        found = check_signature(data, _press().keys.published())
        number = certificates.verify(g.db, found.number).certificate.number
    except (BadSignature, MalformedNumber, UnknownCertificate) as wrong:
        return render_template("certificates/not_ours.html", problem=str(wrong)), 422
    return redirect(url_for("certificates.verify", number=number, file="extract"), code=303)


@bp.get("/verify/keys.pem")
@public
def keys_pem() -> ResponseReturnValue:
    """The certificates of every key that ever signed here: what an offline check takes."""
    keys = _press().keys
    keys.current(now=g.now)
    return Response(keys.published_pem(), mimetype="application/x-pem-file")


@bp.get("/verify/keys/<key_id>.json")
@public
def key_json(key_id: str) -> ResponseReturnValue:
    """One public key as a JSON Web Key: what a wallet takes."""
    press = _press()
    for certificate in press.keys.published():
        if key_id_of(certificate) == key_id:
            return public_jwk(certificate, public_url=press.public_url)
    raise NotFound("There is no such key.")


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
    return render_template(
        "certificates/verified.html",
        verified=verified,
        paper=certificate_papers.of_certificate(g.db, verified.certificate.id),
        file=request.args.get("file", ""),
    )


@bp.get("/verify/<number>/status.json")
@public
@limiter.limit("60 per minute")
def status(number: str) -> ResponseReturnValue:
    """The revocation list of one credential (1EdTechRevocationList): itself, or nobody.

    A list of all would hand everybody the numbers, and with them the names, of others.
    """
    try:
        verified = certificates.verify(g.db, number)
    except (MalformedNumber, UnknownCertificate):
        raise NotFound("We have not issued a certificate with this number.") from None
    content = verified.content
    words = {
        Standing.REVOKED: verified.certificate.revoke_reason or "Revoked.",
        Standing.SUPERSEDED: "A newer certificate takes its place.",
    }
    revoked = [
        {"id": content.verify_url, "revoked": True, "revocationReason": words[verified.standing]}
        for _ in range(verified.standing is not Standing.GENUINE)
    ]
    return {
        "id": f"{content.verify_url}/status.json",
        "issuer": _press().public_url,
        "revokedCredential": revoked,
    }


def _own(number: str) -> Verified:
    """Theirs, or of a society whose officer asks; NotFound says no more than that."""
    try:
        verified = certificates.verify(g.db, number)
    except (MalformedNumber, UnknownCertificate):
        raise NotFound(NONE_SUCH) from None
    certificate = verified.certificate
    if certificate.user_id != current_user.id and not _may_look(certificate):
        raise NotFound(NONE_SUCH)
    return verified


def _paper(verified: Verified) -> CertificatePaper:
    """The one paper there is; set now if nobody asked before."""
    certificate = verified.certificate
    paper = certificate_papers.of_certificate(g.db, certificate.id)
    if paper is not None:
        return paper
    made = _press().paper(verified.content, issued_at=certificate.issued_at, now=g.now)
    # The request only reads: what is kept is written beside it.
    with open_db.begin() as db:
        return certificate_papers.keep(db, db.get_one(Certificate, certificate.id), made, now=g.now)


def _press() -> CertificatePress:
    return certificate_press(current_app.extensions["config"])


def _download(data: bytes, mimetype: str, name: str) -> Response:
    return Response(
        data,
        mimetype=mimetype,
        headers={
            "Content-Disposition": f'inline; filename="{name}"',
            "Cache-Control": PRIVATE,
        },
    )


def _may_look(certificate: Certificate) -> bool:
    """True for officers of the society whose session it is about."""
    session = g.db.get_one(WebinarSession, certificate.session_id)
    return may(current_user.roles_for(session.society_id), Action.DECIDE_CREDIT)
