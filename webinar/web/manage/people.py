"""People: who is trusted with what, invited by mail, given roles and relieved of them."""

from dataclasses import dataclass

from flask import flash, g, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user

from webinar.domain.access import GIVEN_BY_HAND, ROLE_NAMES, ROLE_WORDS, Action, Role
from webinar.domain.errors import DomainError, NotFound
from webinar.domain.person import FormRefused
from webinar.services import invitations, people, roles, societies
from webinar.services.people import Person
from webinar.services.roles import OutOfReach
from webinar.web.access import requires
from webinar.web.manage.blueprint import bp
from webinar.web.numbers import whole_number

PAGE_SIZE = 50
EVERYWHERE = ""


@dataclass(frozen=True)
class Typed:
    """The form of an invitation as it was sent."""

    name: str = ""
    email: str = ""
    role: str = Role.ORGANISER.value
    society: str = EVERYWHERE

    @classmethod
    def sent(cls) -> "Typed":
        """From the request; what is missing is empty."""
        return cls(
            name=request.form.get("name", ""),
            email=request.form.get("email", "").strip(),
            role=request.form.get("role", ""),
            society=request.form.get("society", EVERYWHERE),
        )


NOTHING_TYPED = Typed()


@bp.get("/people/", endpoint="people")
@requires(Action.MANAGE_PEOPLE)
def people_list() -> ResponseReturnValue:
    """Everybody with a role; with words in the address, whoever has that name or mail."""
    words, wanted = request.args.get("words", "").strip(), request.args.get("role", "")
    role = Role(wanted) if wanted in frozenset(Role) else None
    number = max(1, whole_number(request.args.get("page", "")) or 1)
    start = (number - 1) * PAGE_SIZE
    # One more than is shown says whether there are later ones.
    found = people.listed(g.db, words=words, role=role, limit=PAGE_SIZE + 1, offset=start)
    return render_template(
        "manage/people.html",
        people=found[:PAGE_SIZE],
        words=words,
        role=role,
        roles=[
            (name, _address(words, None if one is role else one), one is role)
            for one, name in ROLE_NAMES.items()
            if one in GIVEN_BY_HAND
        ],
        role_names=ROLE_NAMES,
        role_words=[(ROLE_NAMES[one], ROLE_WORDS[one]) for one in GIVEN_BY_HAND],
        earlier=_address(words, role, number - 1) if number > 1 else "",
        later=_address(words, role, number + 1) if len(found) > PAGE_SIZE else "",
    )


@bp.get("/people/invite")
@requires(Action.MANAGE_PEOPLE)
def person_new() -> ResponseReturnValue:
    """The empty form of an invitation."""
    return _invite_page(NOTHING_TYPED, {})


@bp.post("/people/invite")
@requires(Action.MANAGE_PEOPLE)
def person_invite() -> ResponseReturnValue:
    """Give a role to an e-mail and say so by mail."""
    typed = Typed.sent()
    try:
        role, society_id = _role_typed(typed.role), _society_typed(typed.society)
        user = invitations.invite(
            g.db,
            email=typed.email,
            name=typed.name,
            role=role,
            society_id=society_id,
            actor_id=current_user.id,
            now=g.now,
        )
    except FormRefused as refusal:
        g.db.rollback()
        return _invite_page(typed, refusal.problems), refusal.status
    except DomainError as refusal:
        g.db.rollback()
        return _invite_page(typed, {_field_of(refusal): str(refusal)}), refusal.status
    g.db.commit()
    flash(f"A mail to {user.email} is on its way.", "success")
    return _back(user.id)


@bp.get("/people/<int:user_id>")
@requires(Action.MANAGE_PEOPLE)
def person_show(user_id: int) -> ResponseReturnValue:
    """One person: their roles, each to be taken, and one more to be given."""
    return _person_page(people.person(g.db, user_id), NOTHING_TYPED, {})


@bp.post("/people/<int:user_id>/give")
@requires(Action.MANAGE_PEOPLE)
def person_give(user_id: int) -> ResponseReturnValue:
    """One more role; the person is told by mail."""
    typed = Typed.sent()
    user = people.person(g.db, user_id).user
    try:
        invitations.give(
            g.db,
            user.id,
            _role_typed(typed.role),
            society_id=_society_typed(typed.society),
            actor_id=current_user.id,
            now=g.now,
        )
    except DomainError as refusal:
        return _refused(user_id, refusal, typed=typed, field=_field_of(refusal))
    g.db.commit()
    flash(f"{user.name} has the role now, and is told by mail.", "success")
    return _back(user_id)


@bp.post("/people/<int:user_id>/take")
@requires(Action.MANAGE_PEOPLE)
def person_take(user_id: int) -> ResponseReturnValue:
    """Take one role back where it was given."""
    typed = Typed.sent()
    user = people.person(g.db, user_id).user
    try:
        roles.take_role(
            g.db,
            user.id,
            _role_typed(typed.role),
            society_id=_society_typed(typed.society),
            actor_id=current_user.id,
            now=g.now,
        )
    except DomainError as refusal:
        return _refused(user_id, refusal)
    g.db.commit()
    flash(f"{user.name} does not have that role any more.", "success")
    if user.id == current_user.id and Role.ADMINISTRATOR not in user.roles:
        return redirect(url_for("my.index"), code=303)
    return _back(user_id)


@bp.post("/people/<int:user_id>/resend")
@requires(Action.MANAGE_PEOPLE)
def person_resend(user_id: int) -> ResponseReturnValue:
    """Send the invitation once more, with a new link."""
    user = people.person(g.db, user_id).user
    try:
        invitations.resend(g.db, user.id, actor_id=current_user.id, now=g.now)
    except DomainError as refusal:
        return _refused(user_id, refusal)
    g.db.commit()
    flash(f"A new link for {user.email} is on its way; the old one does not work any more.")
    return _back(user_id)


@bp.post("/people/<int:user_id>/withdraw")
@requires(Action.MANAGE_PEOPLE)
def person_withdraw(user_id: int) -> ResponseReturnValue:
    """Not any more: the link ends and the roles are taken back."""
    user = people.person(g.db, user_id).user
    try:
        invitations.withdraw(g.db, user.id, actor_id=current_user.id, now=g.now)
    except DomainError as refusal:
        return _refused(user_id, refusal)
    g.db.commit()
    flash(f"The invitation of {user.name} is withdrawn.", "success")
    return redirect(url_for("manage.people"), code=303)


def _role_typed(text: str) -> Role:
    if text not in {role.value for role in GIVEN_BY_HAND}:
        raise FormRefused({"role": "Choose a role from the list."})
    return Role(text)


def _society_typed(slug: str) -> int | None:
    try:
        return societies.by_slug(g.db, slug).id if slug else None
    except NotFound as refusal:
        raise FormRefused({"society": "Choose a society from the list."}) from refusal


def _field_of(refusal: DomainError) -> str:
    if isinstance(refusal, FormRefused):
        return next(iter(refusal.problems))
    return "society" if isinstance(refusal, OutOfReach) else "role"


def _address(words: str, role: Role | None, page: int = 1) -> str:
    """The list with these wishes."""
    return url_for(
        "manage.people",
        words=words or None,
        role=role.value if role else None,
        page=page if page > 1 else None,
    )


def _choices() -> dict[str, list[tuple[str, str]]]:
    """What the fields of a role offer, and what each role is for."""
    offered = [(society.slug, society.name) for society in societies.listed(g.db)]
    return {
        "roles": [(role.value, ROLE_NAMES[role]) for role in GIVEN_BY_HAND],
        "role_words": [(ROLE_NAMES[role], ROLE_WORDS[role]) for role in GIVEN_BY_HAND],
        "places": [(EVERYWHERE, "Every society"), *offered],
    }


def _refused(
    user_id: int, refusal: DomainError, *, typed: Typed = NOTHING_TYPED, field: str = ""
) -> ResponseReturnValue:
    """The person's page with the refusal beside the field; with none, above everything."""
    g.db.rollback()
    page = _person_page(people.person(g.db, user_id), typed, {field: str(refusal)})
    return page, refusal.status


def _invite_page(typed: Typed, errors: dict[str, str]) -> str:
    return render_template("manage/person_invite.html", typed=typed, errors=errors, **_choices())


def _person_page(person: Person, typed: Typed, errors: dict[str, str]) -> str:
    return render_template(
        "manage/person.html",
        shown=person,
        typed=typed,
        errors=errors,
        role_names=ROLE_NAMES,
        words_of=ROLE_WORDS,
        **_choices(),
    )


def _back(user_id: int) -> ResponseReturnValue:
    return redirect(url_for("manage.person_show", user_id=user_id), code=303)
