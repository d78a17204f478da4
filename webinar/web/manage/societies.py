"""Societies: listed, created, described, with the groups of their members."""

from dataclasses import dataclass

from flask import flash, g, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user

from webinar.domain.access import Action
from webinar.domain.countries import COUNTRIES
from webinar.domain.errors import DomainError
from webinar.models import Society
from webinar.services import audience_groups, societies
from webinar.services.societies import BadSlug, Counts, SlugTaken, UnknownCountry
from webinar.web.access import requires
from webinar.web.manage.blueprint import bp
from webinar.web.manage.calendars import calendar
from webinar.web.manage.scope import societies_offered


@dataclass(frozen=True)
class Typed:
    """The form of a society as it was sent."""

    name: str = ""
    short_name: str = ""
    slug: str = ""
    about: str = ""
    country: str = "CH"

    @classmethod
    def sent(cls) -> "Typed":
        """From the request; what is missing is empty."""
        return cls(
            name=request.form.get("name", "").strip(),
            short_name=request.form.get("short_name", "").strip(),
            slug=request.form.get("slug", "").strip(),
            about=request.form.get("about", ""),
            country=request.form.get("country", ""),
        )

    @classmethod
    def of(cls, society: Society) -> "Typed":
        """As it is."""
        return cls(
            name=society.name,
            short_name=society.short_name,
            slug=society.slug,
            about=society.about,
            country=society.country,
        )


@bp.get("/societies/", endpoint="societies")
@requires(Action.EDIT_SOCIETIES)
def societies_list() -> ResponseReturnValue:
    """The societies one has a role for, with what each offers."""
    counts = societies.counts(g.db)
    rows = [(found, counts.get(found.id, Counts())) for found in societies_offered()]
    return render_template("manage/societies.html", rows=rows)


@bp.get("/societies/new")
@requires(Action.CREATE_SOCIETIES)
def society_new() -> ResponseReturnValue:
    """The empty form."""
    return _new_page(Typed(country=current_user.country or "CH"), {})


@bp.post("/societies/new")
@requires(Action.CREATE_SOCIETIES)
def society_create() -> ResponseReturnValue:
    """Add a society."""
    typed = Typed.sent()
    errors = _missing(typed)
    slug = typed.slug or societies.slug_for(typed.short_name or typed.name)
    if not errors and not slug:
        errors["slug"] = "Write a short name for addresses: no letters of the name can stand there."
    if errors:
        return _new_page(typed, errors), 422
    try:
        made = societies.create(
            g.db,
            slug=slug,
            name=typed.name,
            short_name=typed.short_name,
            about=typed.about,
            country=typed.country,
            actor_id=current_user.id,
            now=g.now,
        )
    except DomainError as refusal:
        g.db.rollback()
        return _new_page(typed, {_field_of(refusal): str(refusal)}), refusal.status
    g.db.commit()
    flash(f"{made.name} is there. Now series and sessions can be planned for it.", "success")
    return _back(made.slug)


@bp.get("/societies/<slug>")
@requires(Action.EDIT_SOCIETIES)
def society_edit(slug: str) -> ResponseReturnValue:
    """One society as a form, with its groups."""
    society = societies.by_slug(g.db, slug)
    return _page(society, Typed.of(society), {})


@bp.post("/societies/<slug>")
@requires(Action.EDIT_SOCIETIES)
def society_save(slug: str) -> ResponseReturnValue:
    """Keep what was typed."""
    society, typed = societies.by_slug(g.db, slug), Typed.sent()
    if errors := _missing(typed):
        return _page(society, typed, errors), 422
    try:
        changed = societies.edit(
            g.db,
            society.id,
            name=typed.name,
            short_name=typed.short_name,
            about=typed.about,
            country=typed.country,
            actor_id=current_user.id,
            calendar=calendar(),
            now=g.now,
        )
    except DomainError as refusal:
        g.db.rollback()
        errors = {_field_of(refusal): str(refusal)}
        return _page(societies.by_slug(g.db, slug), typed, errors), refusal.status
    g.db.commit()
    flash("Saved." if changed else "Nothing was different, so nothing was changed.", "success")
    return _back(slug)


@bp.post("/societies/<slug>/groups")
@requires(Action.EDIT_SOCIETIES)
def group_create(slug: str) -> ResponseReturnValue:
    """One more group of its members."""
    society, name = societies.by_slug(g.db, slug), request.form.get("group", "").strip()
    try:
        made = audience_groups.create(
            g.db, society_id=society.id, name=name, actor_id=current_user.id, now=g.now
        )
    except DomainError as refusal:
        return _refused(slug, "group", name, refusal)
    g.db.commit()
    flash(f"{made.name} can be chosen for the sessions of {society.short_name} now.", "success")
    return _back(slug)


@bp.post("/societies/<slug>/groups/<int:group_id>")
@requires(Action.EDIT_SOCIETIES)
def group_rename(slug: str, group_id: int) -> ResponseReturnValue:
    """Call a group something else."""
    field = f"group-{group_id}"
    name = request.form.get(field, "").strip()
    group = audience_groups.of_id(g.db, societies.by_slug(g.db, slug).id, group_id)
    try:
        audience_groups.rename(g.db, group, name=name, actor_id=current_user.id, now=g.now)
    except DomainError as refusal:
        return _refused(slug, field, name, refusal)
    g.db.commit()
    flash(f"The group is called {group.name}.", "success")
    return _back(slug)


@bp.post("/societies/<slug>/groups/<int:group_id>/remove")
@requires(Action.EDIT_SOCIETIES)
def group_remove(slug: str, group_id: int) -> ResponseReturnValue:
    """Take a group away that no session is made for."""
    group = audience_groups.of_id(g.db, societies.by_slug(g.db, slug).id, group_id)
    name = group.name
    try:
        audience_groups.remove(g.db, group, actor_id=current_user.id, now=g.now)
    except DomainError as refusal:
        return _refused(slug, f"group-{group_id}", name, refusal)
    g.db.commit()
    flash(f"{name} is gone.", "success")
    return _back(slug)


def _refused(slug: str, field: str, typed: str, refusal: DomainError) -> ResponseReturnValue:
    g.db.rollback()
    society = societies.by_slug(g.db, slug)
    page = _page(society, Typed.of(society), {field: str(refusal)}, typed_groups={field: typed})
    return page, refusal.status


def _missing(typed: Typed) -> dict[str, str]:
    errors = {}
    if not typed.name:
        errors["name"] = "Give the society a name."
    if not typed.short_name:
        errors["short_name"] = "Give the short name people use: ESO, HeSMO."
    if typed.country not in COUNTRIES:
        errors["country"] = "Choose the country from the list."
    return errors


def _field_of(refusal: DomainError) -> str:
    if isinstance(refusal, BadSlug | SlugTaken):
        return "slug"
    return "country" if isinstance(refusal, UnknownCountry) else "name"


def _new_page(typed: Typed, errors: dict[str, str]) -> str:
    return render_template(
        "manage/society_new.html", typed=typed, errors=errors, countries=list(COUNTRIES.items())
    )


def _page(
    society: Society,
    typed: Typed,
    errors: dict[str, str],
    *,
    typed_groups: dict[str, str] | None = None,
) -> str:
    return render_template(
        "manage/society.html",
        society=society,
        typed=typed,
        errors=errors,
        countries=list(COUNTRIES.items()),
        groups=audience_groups.of_society(g.db, society.id),
        typed_groups=typed_groups or {},
        counts=societies.counts(g.db).get(society.id, Counts()),
    )


def _back(slug: str) -> ResponseReturnValue:
    return redirect(url_for("manage.society_edit", slug=slug), code=303)
