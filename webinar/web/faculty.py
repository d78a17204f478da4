"""A page of their own for each member of the faculty, opened by a personal address.

The secret in the address is what lets them in, so that no cookie and no account is needed. The
one thing that makes a cookie, opening the studio, asks for the ordinary token against forgery.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from flask import (
    Blueprint,
    Response,
    current_app,
    g,
    redirect,
    render_template,
    request,
    url_for,
)
from flask.typing import ResponseReturnValue
from flask_login import current_user
from flask_wtf.csrf import CSRFError, validate_csrf
from werkzeug.exceptions import RequestEntityTooLarge
from wtforms.validators import ValidationError

from webinar.domain import disclosure as disclosures
from webinar.domain.disclosure import MOST_RELATIONS, Relation, Typed
from webinar.domain.errors import DomainError
from webinar.domain.faculty import FileKind, Words
from webinar.domain.person import FormRefused
from webinar.domain.timezone import to_local
from webinar.media.faculty_files import LARGEST_PHOTO, LARGEST_SLIDES
from webinar.models import FacultyMember, User
from webinar.services import broadcasts, faculty, faculty_links, links
from webinar.services.faculty_links import LinkEnded, SignInFirst
from webinar.tools import calendar_tool
from webinar.web.access import by_token
from webinar.web.auth import let_in
from webinar.web.faculty_files import file_of, files, photo_answer, received, slides_answer
from webinar.web.guards import csrf, limiter
from webinar.web.zone import reader_zone

bp = Blueprint("faculty", __name__)
csrf.exempt(bp)

# One person tries again; a program that tries for ever is stopped.
SAVES = "30 per minute; 300 per hour"
UPLOADS = "10 per minute; 40 per hour"
ROWS = 8


def _address() -> str:
    """The personal address itself, without its secret lying about in the counters."""
    return f"faculty {links.hash_of((request.view_args or {}).get('token', ''))}"


@dataclass(frozen=True)
class Shown:
    """What stands in the forms, and what is wrong with the one that was just sent."""

    words: Words
    disclosure: Typed
    part: str = ""
    problems: Mapping[str, str] = field(default_factory=dict)


@bp.get("/faculty/<token>")
@by_token
def show(token: str) -> ResponseReturnValue:
    """The session, what is missing, and a form for each part of it."""
    return _page(token, _member(token))


@bp.post("/faculty/<token>/words")
@by_token
@limiter.limit(SAVES, key_func=_address)
def save_words(token: str) -> ResponseReturnValue:
    """Name, affiliation, biography."""
    member = _member(token)
    sent = request.form
    words = Words(sent.get("name", ""), sent.get("affiliation", ""), sent.get("biography", ""))
    calendar = calendar_tool(current_app.extensions["config"])
    try:
        faculty.describe(g.db, member.id, words, calendar=calendar, now=g.now)
    except FormRefused as refusal:
        return _refused(token, "words", refusal, words=words)
    return _saved(token, "words")


@bp.post("/faculty/<token>/disclosure")
@by_token
@limiter.limit(SAVES, key_func=_address)
def save_disclosure(token: str) -> ResponseReturnValue:
    """The signed statement on relations with companies."""
    member, typed = _member(token), _typed(request.form)
    try:
        faculty.disclose(g.db, member.id, typed, now=g.now)
    except FormRefused as refusal:
        return _refused(token, "disclosure", refusal, disclosure=typed)
    return _saved(token, "disclosure")


@bp.post("/faculty/<token>/consent")
@by_token
@limiter.limit(SAVES, key_func=_address)
def save_consent(token: str) -> ResponseReturnValue:
    """Yes or no to being recorded; the last word counts."""
    member, said = _member(token), request.form.get("agrees", "")
    if said not in ("yes", "no"):
        return _refused(token, "consent", FormRefused({"agrees": "Choose one of the two."}))
    faculty.answer_consent(g.db, member.id, agrees=said == "yes", now=g.now)
    return _saved(token, "consent")


@bp.post("/faculty/<token>/photo")
@by_token
@limiter.limit(UPLOADS, key_func=_address)
def send_photo(token: str) -> ResponseReturnValue:
    """A photo, drawn anew before anybody sees it."""
    return _receive(token, FileKind.PHOTO)


@bp.post("/faculty/<token>/slides")
@by_token
@limiter.limit(UPLOADS, key_func=_address)
def send_slides(token: str) -> ResponseReturnValue:
    """Slides, as PDF or PowerPoint, for the organiser alone."""
    return _receive(token, FileKind.SLIDES)


@bp.post("/faculty/<token>/photo/remove")
@by_token
@limiter.limit(SAVES, key_func=_address)
def remove_photo(token: str) -> ResponseReturnValue:
    """Take the photo back."""
    return _remove(token, FileKind.PHOTO)


@bp.post("/faculty/<token>/slides/remove")
@by_token
@limiter.limit(SAVES, key_func=_address)
def remove_slides(token: str) -> ResponseReturnValue:
    """Take the slides back."""
    return _remove(token, FileKind.SLIDES)


@bp.get("/faculty/<token>/photo.jpg")
@by_token
def own_photo(token: str) -> ResponseReturnValue:
    """What they sent in, as people will see it."""
    return photo_answer(file_of(_member(token), FileKind.PHOTO))


@bp.get("/faculty/<token>/slides")
@by_token
def own_slides(token: str) -> ResponseReturnValue:
    """What they sent in, to look at again."""
    return slides_answer(file_of(_member(token), FileKind.SLIDES))


@bp.post("/faculty/<token>/studio")
@by_token
@limiter.limit(SAVES, key_func=_address)
def open_studio(token: str) -> ResponseReturnValue:
    """Sign the person in and go to the studio; accounts with a role sign in as they always do."""
    member = _member(token)
    studio = url_for("studio.show", public_id=member.session.public_id)
    if current_user.is_authenticated and current_user.id == member.user_id:
        return redirect(studio, code=303)
    _ensure_not_forged()
    try:
        user: User = faculty_links.sign_in(g.db, member, token, now=g.now)
    except SignInFirst:
        return redirect(url_for("auth.sign_in", next=studio), code=303)
    g.db.commit()
    let_in(user)
    return redirect(studio, code=303)


@bp.errorhandler(LinkEnded)
def link_ended(refusal: LinkEnded) -> ResponseReturnValue:
    """What happened, and how to go on."""
    return render_template("faculty/ended.html", message=str(refusal)), refusal.status


@bp.after_request
def _keep_the_secret(response: Response) -> Response:
    """No cache keeps what a personal address shows, nobody is told of it, no engine lists it."""
    response.headers["Cache-Control"] = "no-store"
    # Who is signed in finds a form in the masthead whose guard asks over TLS where it came from.
    is_in = current_user.is_authenticated
    response.headers["Referrer-Policy"] = "strict-origin" if is_in else "no-referrer"
    response.headers["X-Robots-Tag"] = "noindex"
    return response


def _ensure_not_forged() -> None:
    """Else another page could sign somebody in as somebody else. Raises CSRFError."""
    if not current_app.config["WTF_CSRF_ENABLED"]:
        return
    try:
        validate_csrf(request.form.get("csrf_token", ""))
    except ValidationError as forged:
        raise CSRFError(str(forged)) from forged


def _member(token: str) -> FacultyMember:
    return faculty_links.look_up(g.db, token, now=g.now)


def _typed(form: Mapping[str, str]) -> Typed:
    """The disclosure as it was sent."""
    rows = [
        Relation(
            form.get(f"company-{number}", ""),
            form.get(f"nature-{number}", ""),
            f"ended-{number}" in form,
        )
        for number in range(MOST_RELATIONS + 1)
    ]
    while rows and rows[-1] == Relation("", ""):
        rows.pop()
    return Typed(
        relations=tuple(rows),
        has_nothing=form.get("answer") == "nothing",
        signed_by=form.get("signed_by", ""),
        is_complete="is_complete" in form,
    )


def _receive(token: str, kind: FileKind) -> ResponseReturnValue:
    """Take a file in: known person first, then the bytes, then what they are, then the row."""
    _member(token)
    # Nobody else waits for this network, nor for the picture being drawn.
    g.db.commit()
    try:
        file = received(kind)
    except FormRefused as refusal:
        status = 413 if isinstance(refusal.__cause__, RequestEntityTooLarge) else 422
        return _refused(token, kind.value, refusal, status=status)
    try:
        # Sending takes minutes, in which the part may have gone to somebody else.
        old = faculty.keep_file(g.db, _member(token).id, kind, file, now=g.now)
    except DomainError:
        files().delete(file.storage_key)
        raise
    return _saved(token, kind.value, forget=old)


def _remove(token: str, kind: FileKind) -> ResponseReturnValue:
    old = faculty.remove_file(g.db, _member(token).id, kind, now=g.now)
    return _saved(token, kind.value, forget=old)


def _saved(token: str, part: str, *, forget: list[str] | None = None) -> ResponseReturnValue:
    """Commit, then forget files that nothing speaks of any more, then back to the part."""
    g.db.commit()
    for key in forget or ():
        files().delete(key)
    return redirect(url_for("faculty.show", token=token, saved=part, _anchor=part), code=303)


def _refused(
    token: str,
    part: str,
    refusal: FormRefused,
    *,
    words: Words | None = None,
    disclosure: Typed | None = None,
    status: int = 422,
) -> ResponseReturnValue:
    g.db.rollback()
    member = _member(token)
    shown = _as_stored(member)
    shown = Shown(
        words or shown.words, disclosure or shown.disclosure, part, dict(refusal.problems)
    )
    return _page(token, member, shown), status


def _as_stored(member: FacultyMember) -> Shown:
    form = faculty.form_of(member)
    typed = Typed()
    if form is not None:
        typed = Typed(relations=form.relations, has_nothing=not form.relations)
    return Shown(Words(member.name, member.affiliation, member.biography), typed)


def _answer(shown: Shown) -> str:
    """Which of the two is chosen; "" as long as nobody has said anything."""
    if shown.part == "disclosure":
        return request.form.get("answer", "")
    if shown.disclosure.has_nothing:
        return "nothing"
    return "relations" if shown.disclosure.relations else ""


def _page(token: str, member: FacultyMember, shown: Shown | None = None) -> str:
    rows, session = faculty.rows_of(member), member.session
    shown = shown or _as_stored(member)
    blank = max(ROWS - len(shown.disclosure.relations), 2)
    relations = shown.disclosure.relations + (Relation("", ""),) * blank
    today = to_local(g.now, session.zone).date()
    account = g.db.get(User, member.user_id) if member.user_id is not None else None
    is_known = account is not None and account.verified_at is not None
    return render_template(
        "faculty/show.html",
        token=token,
        member=member,
        session=session,
        # Whose account waits for them has the site's zone; the browser knows better.
        zone=account.zone if account is not None and is_known else reader_zone(),
        parts=list(dict.fromkeys(row.part.value for row in rows)),
        missing=faculty.missing_of(rows, now=g.now),
        today=today,
        words=shown.words,
        typed=replace(shown.disclosure, relations=relations[:MOST_RELATIONS]),
        part=shown.part,
        problems=shown.problems,
        saved=request.args.get("saved", "") if not shown.part else "",
        natures=[("", "What it is"), *disclosures.NATURES.items()],
        answer=_answer(shown),
        form=faculty.form_of(member),
        since=disclosures.day_in_words(disclosures.since(today)),
        in_words=disclosures.day_in_words,
        consents=faculty.consents(member),
        photo=faculty.file_of(rows, FileKind.PHOTO),
        slides=faculty.file_of(rows, FileKind.SLIDES),
        largest_photo=LARGEST_PHOTO // (1024 * 1024),
        largest_slides=LARGEST_SLIDES // (1024 * 1024),
        has_account=account is not None,
        is_open=session.status in faculty_links.OPEN_STUDIO,
        earliest=broadcasts.earliest_of(session),
    )
