"""What an auditor reads by a secret address: nothing can be changed here, names are pseudonyms.

The one thing an auditor does is to draw the sample, once. The secret in the address lets them in,
so no cookie and no account is needed.
"""

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

from webinar.db import open_db
from webinar.domain.evidence_picture import lines_of
from webinar.models import AuditorDoor
from webinar.services import auditor_doors as doors
from webinar.services import auditor_views as views
from webinar.services import links
from webinar.services.auditor_doors import DoorClosed, DoorRefused
from webinar.web.access import by_token
from webinar.web.credit_answers import FOR_WHAT
from webinar.web.credit_words import REASON_WORDS, mark_of_decision
from webinar.web.guards import csrf, limiter
from webinar.web.numbers import whole_number

bp = Blueprint("auditor", __name__, url_prefix="/audit/<token>")
csrf.exempt(bp)

PAGE_SIZE = 50
# A person reads; what asks faster copies everything.
READS = "120 per minute; 1500 per hour"
WORKS = "6 per minute; 60 per hour"


def _address() -> str:
    """The door itself, without its secret lying about in the counters."""
    return f"auditor {links.hash_of((request.view_args or {}).get('token', ''))}"


@bp.get("/")
@by_token
@limiter.limit(READS, key_func=_address)
def index(token: str) -> ResponseReturnValue:
    """For whom, until when, which sessions, and the sample."""
    door = _door(token, "sessions")
    return _index_page(token, door, "")


@bp.post("/sample")
@by_token
@limiter.limit(WORKS, key_func=_address)
def draw(token: str) -> ResponseReturnValue:
    """Draw the sample; names are shown from then on."""
    door = doors.look_up(g.db, token, now=g.now)
    size = whole_number(request.form.get("size", "")) or 0
    try:
        doors.draw_sample(g.db, door.id, size, now=g.now)
    except DoorRefused as refusal:
        g.db.rollback()
        door = doors.look_up(g.db, token, now=g.now)
        return _index_page(token, door, str(refusal)), refusal.status
    g.db.commit()
    return redirect(url_for("auditor.index", token=token, _anchor="sample"), code=303)


@bp.get("/sessions/<public_id>")
@by_token
@limiter.limit(READS, key_func=_address)
def session(token: str, public_id: str) -> ResponseReturnValue:
    """One session: its grants and figures, and people under pseudonyms."""
    door = _door(token, f"session {public_id}")
    found = views.session_of(g.db, door, public_id)
    number = max(1, whole_number(request.args.get("page", "")) or 1)
    people = views.people_of(
        g.db,
        door,
        found,
        secret=_secret(),
        limit=PAGE_SIZE + 1,
        offset=(number - 1) * PAGE_SIZE,
    )

    def page(which: int) -> str:
        return url_for("auditor.session", token=token, public_id=public_id, page=which)

    return render_template(
        "auditor/session.html",
        token=token,
        door=door,
        session=found,
        shown=views.audited(g.db, found),
        people=people[:PAGE_SIZE],
        for_what=FOR_WHAT,
        reason_words=REASON_WORDS,
        mark_of=mark_of_decision,
        earlier=page(number - 1) if number > 1 else "",
        later=page(number + 1) if len(people) > PAGE_SIZE else "",
    )


@bp.get("/sessions/<public_id>/again")
@by_token
@limiter.limit(WORKS, key_func=_address)
def again(token: str, public_id: str) -> ResponseReturnValue:
    """Everything of a session worked out once more from what is stored."""
    door = _door(token, f"session {public_id} worked out again")
    found = views.session_of(g.db, door, public_id)
    decisions, findings = views.verified(g.db, door, found, secret=_secret())
    return render_template(
        "auditor/again.html",
        token=token,
        session=found,
        decisions=decisions,
        findings=findings,
    )


@bp.get("/sessions/<public_id>/people/<pseudonym>")
@by_token
@limiter.limit(READS, key_func=_address)
def person(token: str, public_id: str, pseudonym: str) -> ResponseReturnValue:
    """One person's evidence and decisions, each made once more beside what is stored."""
    door = _door(token, f"session {public_id}, participant {pseudonym[:20]}")
    found = views.session_of(g.db, door, public_id)
    user_id, shown = views.person_of(g.db, door, found, pseudonym, secret=_secret())
    cases = [views.decided_again(decision) for decision in shown.decisions]
    return render_template(
        "auditor/person.html",
        token=token,
        session=found,
        shown=shown,
        cases=[
            (one, lines_of(one.picture, found.zone) if one.picture is not None else ())
            for one in cases
        ],
        certificates=views.certificates_of(g.db, found.id, user_id),
        corrections=views.corrections_of(g.db, found.id, user_id),
        for_what=FOR_WHAT,
        mark_of=mark_of_decision,
    )


@bp.errorhandler(DoorClosed)
def door_closed(refusal: DoorClosed) -> ResponseReturnValue:
    """What happened, and how to go on."""
    return render_template("auditor/closed.html", message=str(refusal)), refusal.status


@bp.after_request
def _keep_the_secret(response: Response) -> Response:
    """No cache keeps what a door shows, nobody is told of it, no engine lists it."""
    response.headers["Cache-Control"] = "no-store"
    # Who is signed in finds a form in the masthead whose guard asks over TLS where it came from.
    is_in = current_user.is_authenticated
    response.headers["Referrer-Policy"] = "strict-origin" if is_in else "no-referrer"
    response.headers["X-Robots-Tag"] = "noindex"
    return response


def _door(token: str, page: str) -> AuditorDoor:
    """The door, and its visit written down: by another hand, as this request only reads."""
    door = doors.look_up(g.db, token, now=g.now)
    with open_db.begin() as db:
        doors.note_visit(db, door.id, page=page, now=g.now)
    return door


def _index_page(token: str, door: AuditorDoor, problem: str) -> str:
    names = doors.names_of(g.db, door)
    found = views.sessions_of(g.db, door)
    return render_template(
        "auditor/index.html",
        token=token,
        door=door,
        sessions=found,
        sample=views.sample_of(g.db, door, found, secret=_secret()) if names else [],
        most=doors.MOST_SAMPLED,
        problem=problem,
        typed=request.form.get("size", "5"),
    )


def _secret() -> bytes:
    return str(current_app.config["SECRET_KEY"]).encode()
