"""The rules of credit: their versions, a form that tests a new one first, and a second person."""

from dataclasses import dataclass

from flask import flash, g, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user

from webinar.domain.access import Action
from webinar.domain.attendance import ViewingMode
from webinar.domain.errors import DomainError
from webinar.domain.policy import CreditPolicy
from webinar.domain.policy_examples import Compared, compare, standard
from webinar.domain.policy_fields import GROUPS, Difference, differences
from webinar.domain.policy_words import words_of
from webinar.models import WebinarSession
from webinar.services import policy_versions as versions
from webinar.services.policy_versions import (
    BadPolicyName,
    Family,
    NoteMissing,
    Rule,
)
from webinar.web.access import requires
from webinar.web.manage.blueprint import bp
from webinar.web.manage.policy_form import Data, Typed, digest, own_examples, read
from webinar.web.manage.scope import society_ids

FIELD_OF: dict[type[DomainError], str] = {
    BadPolicyName: "name",
    NoteMissing: "note",
}


@dataclass(frozen=True)
class Version:
    """A version with its words, what it changed, and who stands behind it."""

    rule: Rule
    words: str
    changes: tuple[Difference, ...]
    followed: int
    sessions: tuple[WebinarSession, ...]
    """The latest of those that follow it."""
    written_by: str
    approved_by: str


@bp.get("/policies/")
@requires(Action.ACCREDIT_SESSIONS)
def policies() -> ResponseReturnValue:
    """Every policy: what it says now, how many grants follow it, what waits for approval."""
    rows = [
        (family, words_of(rule.rules) if (rule := family.in_force) else "")
        for family in versions.families(g.db)
    ]
    rows.sort(key=lambda row: (row[0].versions[0].rules.mode, row[0].versions[0].rules.body))
    return render_template("manage/policies.html", rows=rows)


@bp.get("/policies/<name>")
@requires(Action.ACCREDIT_SESSIONS)
def policy_show(name: str) -> ResponseReturnValue:
    """One policy with all its versions and where they differ."""
    return _show(versions.family_of(g.db, name), "")


@bp.get("/policies/new")
@requires(Action.WRITE_POLICIES)
def policy_new() -> ResponseReturnValue:
    """A rule of another body, from the usual values."""
    usual = CreditPolicy(name="new", version=1, mode=ViewingMode.LIVE, body="")
    typed = Typed.from_policy(usual)
    return _form(None, typed, {}, {})


@bp.post("/policies/new")
@requires(Action.WRITE_POLICIES)
def policy_create() -> ResponseReturnValue:
    """Test the new rule, or keep it as a draft."""
    return _save(None, Typed.from_form(request.form, name=""))


@bp.get("/policies/<name>/new-version")
@requires(Action.WRITE_POLICIES)
def policy_edit(name: str) -> ResponseReturnValue:
    """The next version, from what the newest says."""
    family = versions.family_of(g.db, name)
    if family.draft is not None:
        flash(f"Version {family.draft.policy.version} waits for approval first.", "notice")
        return redirect(url_for("manage.policy_show", name=name))
    typed = Typed.from_policy(family.versions[0].rules, name=name)
    data, _ = read(typed)
    return _form(family, typed, data, {})


@bp.post("/policies/<name>/new-version")
@requires(Action.WRITE_POLICIES)
def policy_save(name: str) -> ResponseReturnValue:
    """Test the next version, or keep it as a draft."""
    return _save(versions.family_of(g.db, name), Typed.from_form(request.form, name=name))


@bp.post("/policies/<name>/<int:version>/approve")
@requires(Action.APPROVE_POLICIES)
def policy_approve(name: str, version: int) -> ResponseReturnValue:
    """A second person lets grants follow the draft."""
    try:
        is_second = versions.approve(
            g.db,
            name,
            version,
            seen=request.form.get("seen", ""),
            actor_id=current_user.id,
            now=g.now,
        )
    except DomainError as refusal:
        return _refused(name, refusal)
    g.db.commit()
    words = f"Version {version} is approved: new grants follow it, earlier ones stay as they are."
    if not is_second:
        words += " You wrote it too, as nobody else here may approve; the trail says so."
    flash(words, "success")
    return redirect(url_for("manage.policy_show", name=name))


@bp.post("/policies/<name>/<int:version>/discard")
@requires(Action.WRITE_POLICIES)
def policy_discard(name: str, version: int) -> ResponseReturnValue:
    """Take a draft away."""
    try:
        versions.discard(g.db, name, version, actor_id=current_user.id, now=g.now)
    except DomainError as refusal:
        return _refused(name, refusal)
    g.db.commit()
    flash(f"The draft of version {version} is discarded.", "success")
    if version == 1:
        return redirect(url_for("manage.policies"))
    return redirect(url_for("manage.policy_show", name=name))


def _save(family: Family | None, typed: Typed) -> ResponseReturnValue:
    data, errors = read(typed)
    saves = request.form.get("do") == "save"
    own: dict[str, str] = {}
    own_examples(typed, own)
    if saves and not typed.note:
        errors["note"] = "Say why there is this version: whoever approves it reads that."
    if errors or own or not saves:
        return _form(family, typed, data, {**errors, **own}), 422 if errors or own else 200
    if request.form.get("tested") != digest(data):
        flash("Look at what the examples give now, then save.", "notice")
        return _form(family, typed, data, {})
    try:
        policy = versions.save_draft(
            g.db, typed.name, data, note=typed.note, actor_id=current_user.id, now=g.now
        )
        if family is None and policy.version > 1:
            raise BadPolicyName("There is a policy of that name. Write a new version of that one.")
    except DomainError as refusal:
        g.db.rollback()
        family = versions.family_of(g.db, family.name) if family else None
        wrong = {FIELD_OF.get(type(refusal), ""): str(refusal)}
        return _form(family, typed, data, wrong), refusal.status
    g.db.commit()
    flash(f"Version {policy.version} is kept as a draft. Nothing follows it yet.", "success")
    return redirect(url_for("manage.policy_show", name=policy.name))


def _form(family: Family | None, typed: Typed, data: Data, errors: dict[str, str]) -> str:
    before = family.versions[0].rules if family else None
    after = None
    if data and not any(name for name in errors if name and name not in ("name", "note")):
        version = before.version + 1 if before else 1
        after = CreditPolicy.from_data(typed.name or "new", version, data)
    return render_template(
        "manage/policy_edit.html",
        family=family,
        typed=typed,
        errors=errors,
        groups=GROUPS,
        before=before,
        after=after,
        words=words_of(after) if after else "",
        changes=differences(before, after) if before and after else [],
        compared=_compared(before, after, typed) if after else [],
        tested=digest(data) if after else "",
    )


def _compared(
    before: CreditPolicy | None, after: CreditPolicy, typed: Typed
) -> list[tuple[Compared, bool]]:
    """The worked examples, and whether the officer added them."""
    both = [after] if before is None else [before, after]
    own = own_examples(typed, {})
    return [
        *((one, True) for one in compare(own, before, after)),
        *((one, False) for one in compare(standard(both), before, after)),
    ]


def _refused(name: str, refusal: DomainError) -> ResponseReturnValue:
    g.db.rollback()
    return _show(versions.family_of(g.db, name), str(refusal)), refusal.status


def _show(family: Family, problem: str) -> str:
    names = versions.names_of(g.db, family)
    following = versions.followers(g.db, family, society_ids=society_ids())
    older = [*family.versions[1:], None]
    shown = [
        Version(
            rule,
            words_of(rule.rules),
            tuple(differences(before.rules, rule.rules)) if before else (),
            family.followed.get(rule.policy.id, 0),
            tuple(following.get(rule.policy.id, ())),
            names.get(rule.policy.created_by_id or 0, "The program"),
            names.get(rule.policy.approved_by_id or 0, "The program"),
        )
        for rule, before in zip(family.versions, older, strict=True)
    ]
    draft = family.draft
    is_own = draft is not None and draft.policy.created_by_id == current_user.id
    return render_template(
        "manage/policy.html",
        family=family,
        versions=shown,
        compared=_of_draft(family),
        problem=problem,
        may_write=current_user.societies_where(Action.WRITE_POLICIES) is None,
        is_own=is_own,
        seen=versions.mark_of(draft.policy) if draft is not None else "",
        others=versions.others_who_approve(g.db, current_user.id) if is_own else 0,
    )


def _of_draft(family: Family) -> list[Compared]:
    """What the draft changes, for whoever is to approve it."""
    draft, in_force = family.draft, family.in_force
    if draft is None:
        return []
    both = [rule.rules for rule in (in_force, draft) if rule is not None]
    return compare(standard(both), in_force.rules if in_force else None, draft.rules)
