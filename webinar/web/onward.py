"""Where a person goes on once signed in: the page they wanted, or the place they asked for."""

import re

from flask import flash, g, redirect, url_for
from flask.typing import ResponseReturnValue

from webinar.domain.errors import DomainError
from webinar.services import registrations, schedule, sessions

LONGEST = 300
PAGE_WITH_PLACES = re.compile(r"/(sessions|series)/[\w-]+")
# What a stranger pressed before they had an account. Followed after signing in, not by a GET.
REGISTER_FOR_SESSION = re.compile(r"/sessions/(?P<public_id>[\w-]+)/register")
REGISTER_FOR_SERIES = re.compile(r"/series/(?P<slug>[\w-]+)/register")


def safe_path(text: str) -> str:
    """The path if it lies on this site, else "": an address must not lead strangers elsewhere."""
    if (
        not text.startswith("/")
        # Browsers read // and /\ as the start of another host.
        or text[1:2] in ("/", "\\")
        or len(text) > LONGEST
        or not text.isprintable()
    ):
        return ""
    return text


def wants_place(path: str) -> bool:
    """True if the person asked for a place before they had an account."""
    return bool(REGISTER_FOR_SESSION.fullmatch(path) or REGISTER_FOR_SERIES.fullmatch(path))


def place_at(path: str) -> str:
    """For the form of a new account: who comes from a session or series wants a place in it."""
    return f"{path}/register" if PAGE_WITH_PLACES.fullmatch(path) else path


def go_on(path: str, user_id: int) -> ResponseReturnValue:
    """Lead a person who has just signed in onward, giving them the place they asked for."""
    path = safe_path(path)
    try:
        if wanted := REGISTER_FOR_SESSION.fullmatch(path):
            return register_for_session(wanted["public_id"], user_id)
        if wanted := REGISTER_FOR_SERIES.fullmatch(path):
            return register_for_series(wanted["slug"], user_id)
    except DomainError as refusal:
        # They are signed in all the same, and only what they asked for cannot be had.
        flash(str(refusal), "warning")
        return redirect(url_for("my.index"), code=303)
    return redirect(path or url_for("my.index"), code=303)


def register_for_session(public_id: str, user_id: int, *, then: str = "") -> ResponseReturnValue:
    """Give the place and lead on, to the session's page unless `then` says otherwise.

    Raises what `registrations.register` does.
    """
    session = sessions.by_public_id(g.db, public_id)
    registrations.register(g.db, session.id, user_id, now=g.now)
    g.db.commit()
    flash("You are registered. A mail with the details is on its way.", "success")
    return redirect(then or url_for("sessions.show", public_id=public_id), code=303)


def register_for_series(slug: str, user_id: int) -> ResponseReturnValue:
    """The same for every session of a series."""
    series = schedule.series_named(g.db, slug)
    registrations.register_for_series(g.db, series.id, user_id, now=g.now)
    g.db.commit()
    flash(f"You are registered for every session of {series.name}.", "success")
    return redirect(url_for("series.show", slug=slug), code=303)
