"""Topics: the small tree of what sessions are about, arranged for every society."""

from flask import flash, g, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user

from webinar.domain.access import Action
from webinar.domain.errors import DomainError, NotFound
from webinar.domain.topic_tree import DEEPEST, DoesNotFit
from webinar.domain.wording import plural
from webinar.services import topic_tree
from webinar.services.topic_tree import Branch
from webinar.web.access import requires
from webinar.web.manage.blueprint import bp
from webinar.web.manage.calendars import calendar
from webinar.web.numbers import whole_number

TOP = ""


@bp.get("/topics/", endpoint="topics")
@requires(Action.ARRANGE_TOPICS)
def topics_list() -> ResponseReturnValue:
    """The tree, and a form for one more."""
    return _list_page({})


@bp.post("/topics/")
@requires(Action.ARRANGE_TOPICS)
def topic_create() -> ResponseReturnValue:
    """One more topic."""
    name, below = request.form.get("name", ""), request.form.get("below", TOP)
    try:
        made = topic_tree.create(
            g.db, name=name, parent_id=_id(below), actor_id=current_user.id, now=g.now
        )
    except DomainError as refusal:
        g.db.rollback()
        errors = {_field_of(refusal): str(refusal)}
        return _list_page(errors, name=name, below=below), refusal.status
    g.db.commit()
    flash(f"{made.name} is there.", "success")
    return redirect(url_for("manage.topics"), code=303)


@bp.get("/topics/<int:topic_id>")
@requires(Action.ARRANGE_TOPICS)
def topic_edit(topic_id: int) -> ResponseReturnValue:
    """One topic: its name, its place, and what it can be merged into."""
    return _page(topic_id, {})


@bp.post("/topics/<int:topic_id>")
@requires(Action.ARRANGE_TOPICS)
def topic_save(topic_id: int) -> ResponseReturnValue:
    """Rename or move it."""
    name, below = request.form.get("name", ""), request.form.get("below", TOP)
    try:
        changed = topic_tree.change(
            g.db,
            topic_id,
            name=name,
            parent_id=_id(below),
            actor_id=current_user.id,
            calendar=calendar(),
            now=g.now,
        )
    except NotFound:
        raise
    except DomainError as refusal:
        g.db.rollback()
        errors = {_field_of(refusal): str(refusal)}
        return _page(topic_id, errors, name=name, below=below), refusal.status
    g.db.commit()
    flash("Saved." if changed else "Nothing was different, so nothing was changed.", "success")
    return redirect(url_for("manage.topics"), code=303)


@bp.post("/topics/<int:topic_id>/merge")
@requires(Action.ARRANGE_TOPICS)
def topic_merge(topic_id: int) -> ResponseReturnValue:
    """Make it one with another topic."""
    into = request.form.get("into", "")
    try:
        into_id = _id(into)
        if into_id is None:
            raise DoesNotFit("Choose the topic that stays.")
        followed = topic_tree.merge(
            g.db,
            topic_id,
            into_id,
            actor_id=current_user.id,
            calendar=calendar(),
            now=g.now,
        )
    except NotFound:
        raise
    except DomainError as refusal:
        g.db.rollback()
        return _page(topic_id, {"into": str(refusal)}, into=into), refusal.status
    g.db.commit()
    followed_words = plural(followed, "session")
    flash(f"The two are one. {followed_words} followed, and the old address leads on.", "success")
    return redirect(url_for("manage.topics"), code=303)


@bp.post("/topics/<int:topic_id>/remove")
@requires(Action.ARRANGE_TOPICS)
def topic_remove(topic_id: int) -> ResponseReturnValue:
    """Take away what nothing hangs on."""
    try:
        topic_tree.remove(g.db, topic_id, actor_id=current_user.id, now=g.now)
    except NotFound:
        raise
    except DomainError as refusal:
        g.db.rollback()
        return _page(topic_id, {"": str(refusal)}), refusal.status
    g.db.commit()
    flash("The topic is gone.", "success")
    return redirect(url_for("manage.topics"), code=303)


def _id(text: str) -> int | None:
    """The id typed; "" is the top of the tree. What is no number names no topic."""
    return (whole_number(text) or 0) if text else None


def _field_of(refusal: DomainError) -> str:
    return "below" if isinstance(refusal, DoesNotFit) else "name"


def _places(branches: list[Branch], *, deepest: int) -> list[tuple[str, str]]:
    """Where a topic can hang: pairs for a select, set in by their level."""
    return [
        (str(one.topic.id), "\u2003" * (one.level - 1) + one.topic.name)
        for one in branches
        if one.level <= deepest
    ]


def _list_page(errors: dict[str, str], *, name: str = "", below: str = TOP) -> str:
    branches = topic_tree.branches(g.db)
    return render_template(
        "manage/topics.html",
        branches=branches,
        errors=errors,
        name=name,
        below=below,
        places=[(TOP, "Nothing: it is a specialty"), *_places(branches, deepest=DEEPEST - 1)],
    )


def _page(
    topic_id: int,
    errors: dict[str, str],
    *,
    name: str | None = None,
    below: str | None = None,
    into: str = "",
) -> str:
    branches = topic_tree.branches(g.db)
    shown = next((one for one in branches if one.topic.id == topic_id), None)
    if shown is None:
        raise NotFound("There is no such topic any more. Look at the list again.")
    others = [one for one in branches if one is not shown]
    return render_template(
        "manage/topic.html",
        shown=shown,
        errors=errors,
        name=shown.topic.name if name is None else name,
        below=str(shown.topic.parent_id or TOP) if below is None else below,
        into=into,
        places=[(TOP, "Nothing: it is a specialty"), *_places(others, deepest=DEEPEST - 1)],
        others=[("", "Choose"), *_places(others, deepest=DEEPEST)],
    )
