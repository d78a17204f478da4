"""The bodies that grant credit: their names, and what they ask of an application."""

from collections.abc import Mapping
from dataclasses import dataclass

from flask import flash, g, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user

from webinar.domain.access import Action
from webinar.domain.application_terms import ApplicationTerms, BadTerms, Covers
from webinar.domain.errors import DomainError
from webinar.models import Accreditor
from webinar.services import accreditors
from webinar.web.access import requires
from webinar.web.manage.blueprint import bp
from webinar.web.manage.series_form import number


@dataclass(frozen=True)
class TermField:
    """A number among the terms, and what it means."""

    name: str
    label: str
    meaning: str


NUMBERS = (
    TermField(
        "weeks_before",
        "Weeks before the session",
        "The complete file is there so many weeks before the day of the (first) session.",
    ),
    TermField(
        "months_before",
        "Or months before it",
        "Where the body counts calendar months. Of both, the earlier day counts.",
    ),
    TermField(
        "recommended_weeks",
        "Recommended weeks",
        "When the body advises to apply.",
    ),
    TermField(
        "late_weeks",
        "With a late fee until, in weeks",
        "Fewer weeks than above; empty if there is no such thing.",
    ),
    TermField(
        "within_months",
        "All within, in months",
        "From the day of the first session to the same day so many months later.",
    ),
    TermField("shortest_minutes", "Shortest session in minutes", "Empty: any length."),
    TermField("longest_minutes", "Longest session in minutes", "Empty: any length."),
    TermField("fewest_sessions", "Fewest sessions", "Of one application for a whole season."),
)
COVERS = [
    (Covers.SESSION.value, "One session: each has its own deadline"),
    (Covers.SEASON.value, "A season: the first session sets the deadline"),
]


@dataclass(frozen=True)
class Typed:
    """What stands in the form, as text; a flag is "y" or ""."""

    name: str
    short_name: str
    unit: str
    covers: str
    numbers: Mapping[str, str]
    same_specialty: str
    edition: str
    source: str

    @classmethod
    def from_form(cls, form: Mapping[str, str]) -> "Typed":
        """What was sent; a field that was not sent is empty."""
        return cls(
            name=form.get("name", "").strip(),
            short_name=form.get("short_name", "").strip(),
            unit=form.get("unit", "").strip(),
            covers=form.get("covers", ""),
            numbers={one.name: form.get(one.name, "").strip() for one in NUMBERS},
            same_specialty=form.get("same_specialty", ""),
            edition=form.get("edition", "").strip(),
            source=form.get("source", "").replace("\r\n", "\n").strip(),
        )

    @classmethod
    def from_body(cls, body: Accreditor) -> "Typed":
        """What is known of the body."""
        terms = accreditors.terms_of(body)
        return cls(
            name=body.name,
            short_name=body.short_name,
            unit=body.unit,
            covers=terms.covers.value,
            numbers={
                one.name: "" if (value := getattr(terms, one.name)) is None else str(value)
                for one in NUMBERS
            },
            same_specialty="y" if terms.same_specialty else "",
            edition=terms.edition,
            source=terms.source,
        )


@bp.get("/bodies/")
@requires(Action.ACCREDIT_SESSIONS)
def bodies() -> ResponseReturnValue:
    """Every body with what it asks."""
    rows = [(body, terms_words(accreditors.terms_of(body))) for body in accreditors.listed(g.db)]
    return render_template("manage/bodies.html", rows=rows)


@bp.get("/bodies/<body>")
@requires(Action.ACCREDIT_SESSIONS)
def body_show(body: str) -> ResponseReturnValue:
    """One body as a form; who may not change it reads it."""
    found = accreditors.by_slug(g.db, body)
    return _show(found, Typed.from_body(found), {})


@bp.post("/bodies/<body>")
@requires(Action.WRITE_POLICIES)
def body_change(body: str) -> ResponseReturnValue:
    """Keep what was typed."""
    found, typed = accreditors.by_slug(g.db, body), Typed.from_form(request.form)
    errors = _missing_names(typed)
    terms = _terms(typed, errors)
    if terms is None or errors:
        return _show(found, typed, errors), 422
    try:
        changed = accreditors.change(
            g.db,
            found,
            name=typed.name,
            short_name=typed.short_name,
            unit=typed.unit,
            terms=terms,
            actor_id=current_user.id,
            now=g.now,
        )
    except DomainError as refusal:
        g.db.rollback()
        found = accreditors.by_slug(g.db, body)
        return _show(found, typed, {"": str(refusal)}), refusal.status
    g.db.commit()
    flash("The body is changed." if changed else "Nothing was different.", "success")
    return redirect(url_for("manage.body_show", body=body))


def terms_words(terms: ApplicationTerms) -> str:
    """What the body asks, in a sentence; "" if nobody has said."""
    words = []
    if terms.weeks_before is not None:
        words.append(f"{terms.weeks_before} weeks before")
    if terms.months_before is not None:
        words.append(f"{terms.months_before} months before")
    if terms.recommended_weeks is not None:
        words.append(f"{terms.recommended_weeks} weeks recommended")
    if terms.late_weeks is not None:
        words.append(f"late fee until {terms.late_weeks}")
    if terms.within_months is not None:
        words.append(f"all within {terms.within_months} months")
    if terms.shortest_minutes is not None or terms.longest_minutes is not None:
        shortest = terms.shortest_minutes or 0
        longest = terms.longest_minutes
        words.append(
            f"{shortest} to {longest} minutes" if longest else f"{shortest} minutes or more"
        )
    if terms.same_specialty:
        words.append("one specialty")
    return ", ".join(words)


def _terms(typed: Typed, errors: dict[str, str]) -> ApplicationTerms | None:
    values: dict[str, object] = {
        "covers": typed.covers,
        "same_specialty": bool(typed.same_specialty),
        "edition": typed.edition,
        "source": typed.source,
    }
    for one in NUMBERS:
        text = typed.numbers[one.name]
        values[one.name] = number(text) if text else None
        if text and values[one.name] is None:
            errors[one.name] = "Give a whole number."
    try:
        return ApplicationTerms.from_data(values)
    except BadTerms as refusal:
        errors.setdefault(refusal.field, str(refusal))
        return None


def _missing_names(typed: Typed) -> dict[str, str]:
    errors = {}
    for name, text, longest in (
        ("name", typed.name, 200),
        ("short_name", typed.short_name, 40),
        ("unit", typed.unit, 40),
    ):
        if not 0 < len(text) <= longest:
            errors[name] = f"Give it in 1 to {longest} characters."
    return errors


def _show(found: Accreditor, typed: Typed, errors: Mapping[str, str]) -> str:
    return render_template(
        "manage/body.html",
        body=found,
        typed=typed,
        errors=errors,
        numbers=NUMBERS,
        covers=COVERS,
    )
