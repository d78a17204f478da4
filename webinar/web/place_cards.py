"""A person's place in the words of the card: labels, notes, and where each button leads."""

from dataclasses import dataclass
from datetime import datetime

from flask import url_for

from webinar.domain.place import Step, StepKind, StepState, is_over, may_join, next_step
from webinar.domain.session import SessionStatus
from webinar.domain.wording import local_moment
from webinar.services.places import Place

LABELS = {
    StepKind.REGISTER: "Register",
    StepKind.CALENDAR: "Put it in your calendar",
    StepKind.JOIN: "Join live",
    StepKind.WATCH: "Watch the recording",
    StepKind.EVALUATE: "Evaluate the session",
    StepKind.TEST: "Take the test",
    StepKind.CERTIFICATE: "Certificate",
}
LABELS_WHEN_DONE = {
    StepKind.REGISTER: "Registered",
    StepKind.JOIN: "Joined live",
    StepKind.WATCH: "Watched the recording",
    StepKind.EVALUATE: "Evaluated",
    StepKind.TEST: "Test passed",
}
BUTTONS = {
    StepKind.REGISTER: "Register free",
    StepKind.CALENDAR: "Add to your calendar",
    StepKind.JOIN: "Join live",
    StepKind.WATCH: "Watch the recording",
    StepKind.EVALUATE: "Evaluate the session",
    StepKind.TEST: "Take the test",
    StepKind.CERTIFICATE: "Open your certificate",
}


@dataclass(frozen=True, kw_only=True)
class CardStep:
    """A step as the card shows it."""

    label: str
    state: str
    note: str = ""
    due_at: datetime | None = None
    action_label: str = ""
    action_href: str = ""
    action_method: str = "get"


@dataclass(frozen=True, kw_only=True)
class PlaceCard:
    """All that the card and the bar at the foot of a phone show."""

    steps: tuple[CardStep, ...]
    next: CardStep | None
    bar_words: str
    live: bool
    watch_until: datetime | None
    credit_until: datetime | None
    can_watch: bool
    """A recording that is open to this person, also if watching is not the next step."""


def card_of(place: Place, *, signed_in: bool, now: datetime) -> PlaceCard:
    """The card of a place."""
    chosen = next_step(list(place.steps))
    shown = [_step(step, place, signed_in, now) for step in place.steps]
    window = place.facts.window
    is_open = window is not None and now in window
    return PlaceCard(
        steps=tuple(shown),
        next=next((step for step in shown if step.state == StepState.NEXT), None),
        bar_words=_bar_words(chosen, place, now),
        live=place.session.status is SessionStatus.LIVE,
        watch_until=place.watch_until if is_open else None,
        credit_until=place.credit_until if place.facts.credit_offered else None,
        can_watch=is_open and place.facts.registered,
    )


def _step(step: Step, place: Place, signed_in: bool, now: datetime) -> CardStep:
    is_next = step.state is StepState.NEXT
    method, href = _target(step.kind, place, signed_in)
    labels = LABELS | LABELS_WHEN_DONE if step.state is StepState.DONE else LABELS
    return CardStep(
        label=labels[step.kind],
        state=step.state.value,
        note=_note(step, place, now),
        due_at=step.due_at,
        action_label=_button(step.kind, place, now) if is_next else "",
        action_href=href if is_next else "",
        action_method=method,
    )


def _target(kind: StepKind, place: Place, signed_in: bool) -> tuple[str, str]:
    """How and where the step is taken."""
    page = url_for("sessions.show", public_id=place.session.public_id)
    if kind is StepKind.REGISTER:
        return ("post", f"{page}/register") if signed_in else ("get", f"/register?next={page}")
    if kind is StepKind.CALENDAR:
        return "get", url_for("feeds.session", public_id=place.session.public_id)
    if kind is StepKind.CERTIFICATE:
        return "get", f"/certificates/{place.certificate}.pdf"
    pages = {
        StepKind.JOIN: "live",
        StepKind.WATCH: "recording",
        StepKind.EVALUATE: "evaluation",
        StepKind.TEST: "test",
    }
    return "get", f"{page}/{pages[kind]}"


def _button(kind: StepKind, place: Place, now: datetime) -> str:
    if kind is StepKind.REGISTER:
        if may_join(place.facts, now=now):
            return "Register free and join"
        if is_over(place.facts, now=now):
            return "Register free to watch"
    return BUTTONS[kind]


def _note(step: Step, place: Place, now: datetime) -> str:
    zone = place.session.zone
    if step.opens_at is not None and step.state is StepState.LATER:
        return f"Opens {local_moment(step.opens_at, zone)}"
    if step.kind is StepKind.REGISTER and step.state is StepState.NEXT:
        return "Free, in under a minute"
    if step.kind is StepKind.REGISTER and step.state is StepState.MISSED:
        return "The session is over and there is nothing left to watch"
    if step.kind is StepKind.JOIN and step.state is StepState.NEXT:
        return "Nobody sees or hears you. Leave and come back as you like"
    if step.kind is StepKind.WATCH and step.state is StepState.LATER:
        if place.facts.window is None:
            return "Ready soon after the end"
        return "If you want to see it again" if place.facts.seen_live else ""
    if step.kind is StepKind.EVALUATE and step.state is StepState.NEXT:
        return "Two minutes, kept apart from your name"
    if step.kind is StepKind.CERTIFICATE and step.state is StepState.LATER:
        missed = any(other.state is StepState.MISSED for other in place.steps[2:])
        return "" if missed else "Comes by itself once the rest is done"
    if step.kind is StepKind.CERTIFICATE and step.state is StepState.NEXT:
        return "It is ready"
    return ""


def _bar_words(step: Step | None, place: Place, now: datetime) -> str:
    if step is None:
        return ""
    if place.session.status is SessionStatus.LIVE:
        return "Live now"
    if step.kind is StepKind.JOIN:
        return "The doors are open"
    if step.kind is StepKind.CALENDAR:
        return "You are registered"
    if step.kind in (StepKind.REGISTER, StepKind.WATCH) and is_over(place.facts, now=now):
        return "The recording is open"
    if step.kind is StepKind.REGISTER:
        return "Free, and unseen by others"
    return LABELS[step.kind]
