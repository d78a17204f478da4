"""A person's own pages: what to do next, what is coming, what was earned, the account."""

from dataclasses import dataclass
from datetime import timedelta

from flask import (
    Blueprint,
    current_app,
    flash,
    g,
    make_response,
    redirect,
    render_template,
    request,
    url_for,
)
from flask.typing import ResponseReturnValue
from flask_login import current_user

from webinar.domain.attendance import ViewingMode
from webinar.domain.countries import COUNTRIES
from webinar.domain.credit import GrantStatus
from webinar.domain.figures import minutes_and_seconds
from webinar.domain.person import PROFESSIONS, FormRefused, PersonDetails
from webinar.domain.place import StepKind, next_step
from webinar.domain.session import SessionStatus
from webinar.domain.timezone import zone_names
from webinar.domain.wording import deadline
from webinar.models import User, WebinarSession
from webinar.services import (
    accounts,
    minutes_watched,
    places,
    registrations,
    schedule,
    transcripts,
)
from webinar.services.minutes_watched import Counted
from webinar.services.places import Place
from webinar.services.transcripts import CreditLine
from webinar.web.access import signed_in
from webinar.web.auth import let_in
from webinar.web.guards import limiter
from webinar.web.listing import Row, is_over, row_of
from webinar.web.place_cards import PlaceCard, card_of

bp = Blueprint("my", __name__, url_prefix="/my")

# A calendar entry waits for every registration and certificates stay for ever: neither presses.
PRESSING = frozenset({StepKind.JOIN, StepKind.EVALUATE, StepKind.TEST})
# Nor does a recording, until its end comes near.
WATCH_PRESSES = timedelta(days=14)
CARDS = 4
DECIDED_WITHIN = timedelta(hours=1)


@dataclass(frozen=True)
class Mine:
    """A session in which the person has a place: its line and its card."""

    row: Row
    card: PlaceCard
    is_pressing: bool
    is_ahead: bool
    gives_credit: bool


@dataclass(frozen=True)
class Attended:
    """A session the person was at: what counts of it, what came of it, what is still to do."""

    session: WebinarSession
    counted: tuple[str, ...]
    credit: tuple[CreditLine, ...]
    certificate: str
    remark: str


@bp.get("/")
@signed_in
def index() -> ResponseReturnValue:
    """Next steps first, then what is coming, what can be watched, what was earned."""
    user_id = current_user.id
    mine = _mine(user_id)
    coming = [one for one in mine if one.is_ahead]
    # What is on air first, then the latest evening: its deadlines are the nearest.
    pressing = sorted(
        (one for one in reversed(mine) if one.is_pressing), key=lambda one: not one.card.live
    )
    return render_template(
        "my/index.html",
        cards=(pressing or coming[:1])[:CARDS],
        coming=coming,
        watchable=[one for one in reversed(mine) if one.card.can_watch and not one.is_ahead],
        is_empty=not mine,
        attended=_attended(user_id, mine),
        series=registrations.series_of_person(g.db, user_id),
        has_feed=current_user.feed_token_hash is not None,
    )


@bp.post("/calendar")
@signed_in
@limiter.limit("10 per hour")
def make_feed() -> ResponseReturnValue:
    """Make the personal calendar address anew and show it, this once."""
    token = accounts.new_feed_token(g.db, current_user.id, now=g.now)
    g.db.commit()
    public_url = current_app.config["PUBLIC_URL"]
    address = f"{public_url}/calendar/personal/{token}.ics"
    page = render_template(
        "my/calendar.html",
        address=address,
        opens=f"webcal://{address.partition('://')[2]}",
    )
    response = make_response(page)
    response.headers["Cache-Control"] = "no-store"
    return response


@bp.get("/account")
@signed_in
def account() -> ResponseReturnValue:
    """What the person told us, the password, the sign-ins."""
    return _account_page(_details_of(current_user), {})


@bp.post("/account")
@signed_in
def change_details() -> ResponseReturnValue:
    """Change name, country, profession, time zone."""
    details = PersonDetails(
        name=request.form.get("name", ""),
        country=request.form.get("country", ""),
        profession=request.form.get("profession", ""),
        zone=request.form.get("zone", ""),
    )
    try:
        accounts.change_details(g.db, current_user.id, details, now=g.now)
    except FormRefused as refusal:
        return _account_page(details, refusal.problems), 422
    g.db.commit()
    flash("Your account is changed.", "success")
    return redirect(url_for("my.account"), code=303)


@bp.post("/account/password")
@signed_in
@limiter.limit("10 per minute")
def change_password() -> ResponseReturnValue:
    """Set a password; every other browser is signed out."""
    try:
        user = accounts.change_password(
            g.db,
            current_user.id,
            current=request.form.get("current_password", ""),
            new=request.form.get("new_password", ""),
            now=g.now,
        )
    except FormRefused as refusal:
        return _account_page(_details_of(current_user), refusal.problems), 422
    g.db.commit()
    let_in(user)
    flash("Your password is set. Every other browser is signed out.", "success")
    return redirect(url_for("my.account"), code=303)


@bp.post("/account/sign-ins")
@signed_in
def end_sign_ins() -> ResponseReturnValue:
    """Sign out everywhere but here."""
    user = accounts.end_sign_ins(g.db, current_user.id, now=g.now)
    g.db.commit()
    let_in(user)
    flash("Every other browser is signed out.", "success")
    return redirect(url_for("my.account"), code=303)


def _mine(user_id: int) -> list[Mine]:
    """Every place of the person, earliest session first; a fixed number of queries."""
    listed = schedule.of_ids(g.db, places.registered_ids(g.db, user_id))
    found = []
    for one, place in zip(listed, places.places_of(g.db, listed, user_id, now=g.now), strict=True):
        session = one.session
        found.append(
            Mine(
                row=row_of(one, now=g.now),
                card=card_of(place, signed_in=True, now=g.now),
                is_pressing=_presses(place),
                is_ahead=not is_over(session, g.now)
                and not (session.status is SessionStatus.CANCELLED and session.ends_at <= g.now),
                gives_credit=any(offer.status is GrantStatus.GRANTED for offer in one.offers),
            )
        )
    return found


def _attended(user_id: int, mine: list[Mine]) -> list[Attended]:
    """Every session of which something counts or was decided, the latest first."""
    counted = minutes_watched.of_person(g.db, user_id, now=g.now)
    found = {
        one.session.id: Attended(
            session=one.session,
            counted=_counted_words(counted.get(one.session.id, ())),
            credit=one.credit,
            certificate=one.certificate,
            remark="",
        )
        for one in transcripts.of_person(g.db, user_id)
    }
    for one in mine:
        session = one.row.session
        if session.id not in found and counted.get(session.id) and not one.is_ahead:
            found[session.id] = Attended(
                session=session,
                counted=_counted_words(counted[session.id]),
                credit=(),
                certificate="",
                remark=_undecided(one),
            )
    return sorted(found.values(), key=lambda one: one.session.starts_at, reverse=True)


def _counted_words(counted: tuple[Counted, ...]) -> tuple[str, ...]:
    """`43:30 of 45:00 counted live`."""
    where = {ViewingMode.LIVE: "live", ViewingMode.RECORDED: "of the recording"}
    return tuple(
        f"{minutes_and_seconds(one.seconds)} of {minutes_and_seconds(one.of)} counted "
        f"{where[one.mode]}"
        for one in counted
        if one.mode in where
    )


def _undecided(one: Mine) -> str:
    session = one.row.session
    if not one.gives_credit:
        return "No credit is given for this session."
    ended_at = session.actual_ended_at or session.ends_at
    if g.now < ended_at + DECIDED_WITHIN:
        by = deadline(ended_at + DECIDED_WITHIN, session.zone)
        return f"Your credit is decided by {by}."
    return ""


def _presses(place: Place) -> bool:
    step = next_step(list(place.steps))
    if step is None:
        return False
    if step.kind is StepKind.WATCH and step.due_at is not None:
        return bool(step.due_at - g.now < WATCH_PRESSES)
    return step.kind in PRESSING


def _details_of(user: User) -> PersonDetails:
    return PersonDetails(
        name=user.name, country=user.country, profession=user.profession, zone=user.zone
    )


def _account_page(details: PersonDetails, problems: dict[str, str]) -> str:
    return render_template(
        "my/account.html",
        details=details,
        problems=problems,
        countries=_with_a_blank(COUNTRIES, details.country),
        professions=_with_a_blank(PROFESSIONS, details.profession),
        zones=[(name, name.replace("_", " ")) for name in zone_names()],
        has_password=current_user.password_hash is not None,
    )


def _with_a_blank(choices: dict[str, str], value: str) -> list[tuple[str, str]]:
    """The choices; who never chose is not shown as the first of the list."""
    return [*([("", "Choose")] if not value else []), *choices.items()]
