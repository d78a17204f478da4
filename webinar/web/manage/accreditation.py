"""What sessions earn: their grants listed, added, changed, removed, taken over."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

from flask import flash, g, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user

from webinar.domain.access import Action
from webinar.domain.credit import GrantStatus
from webinar.domain.errors import DomainError
from webinar.domain.policy_words import amount_words, words_of
from webinar.domain.session import SessionStatus
from webinar.domain.statements import (
    applied_statement,
    in_step,
    names_activity,
    shown_statement,
)
from webinar.domain.wording import plural
from webinar.models import AccreditationGrant, Accreditor, WebinarSession
from webinar.services import accreditation as grants
from webinar.services import accreditation_copies as copies
from webinar.services import accreditors, policies, quizzes, season
from webinar.services import sessions as session_service
from webinar.services.accreditation import GrantDetails
from webinar.services.accreditation_use import reasons_kept, why_kept
from webinar.services.policy_versions import Rule, rule_of, rules_offered
from webinar.web.access import requires
from webinar.web.manage import scope
from webinar.web.manage.blueprint import bp
from webinar.web.manage.calendars import calendar
from webinar.web.manage.grant_form import (
    ANOTHER,
    STATES,
    Typed,
    Values,
    amount_of,
    field_of,
    permitted_when_granted,
    read,
)
from webinar.web.manage.simulator import hours_of, rows_of
from webinar.web.manage.states import Mark, mark_of

BEHIND, AHEAD = timedelta(weeks=4), timedelta(weeks=16)
MARKS = {
    GrantStatus.NONE: Mark("draft", "None"),
    GrantStatus.APPLIED: Mark("opens", "Applied for"),
    GrantStatus.GRANTED: Mark("credit", "Granted"),
    GrantStatus.REFUSED: Mark("cancelled", "Refused"),
    GrantStatus.WITHDRAWN: Mark("closed", "Withdrawn"),
}


@dataclass(frozen=True)
class Stated:
    """A grant with its mark and what it means; `why_kept` is "" if it can be removed."""

    grant: AccreditationGrant
    mark: Mark
    amount: str
    words: str
    statement: str
    """What may stand in public now, "" if nothing may."""
    names_another: bool
    """True if those words, being of one's own, name another title or day."""
    needs_test: bool
    why_kept: str


@dataclass(frozen=True)
class Row:
    """A session of the list with what it earns, in words."""

    session: WebinarSession
    mark: Mark
    grants: tuple[tuple[str, Mark], ...]


@bp.get("/accreditation/")
@requires(Action.ACCREDIT_SESSIONS)
def accreditation() -> ResponseReturnValue:
    """The sessions around today with what each earns."""
    sessions = [
        session
        for session in season.listed(
            g.db,
            starting=g.now - BEHIND,
            until=g.now + AHEAD,
            society_ids=scope.society_ids(),
        )
        if session.status is not SessionStatus.CANCELLED
    ]
    by_session = grants.grants_by_session(g.db, [session.id for session in sessions])
    rows = [
        Row(
            session,
            mark_of(session),
            tuple(
                (amount_of(grant), MARKS[grant.status]) for grant in by_session.get(session.id, [])
            ),
        )
        for session in sessions
    ]
    return render_template("manage/accreditation.html", rows=rows)


@bp.post("/accreditation/rules")
@requires(Action.ACCREDIT_SESSIONS)
def accreditation_rules() -> ResponseReturnValue:
    """Put in the bodies and rules that come with the program."""
    policies.ensure_policies(g.db, now=g.now)
    g.db.commit()
    flash("The known bodies and rules are there.", "success")
    public_id = request.form.get("session", "")
    if public_id:
        return redirect(url_for("manage.grant_new", public_id=public_id))
    return redirect(url_for("manage.accreditation"))


@bp.get("/sessions/<public_id>/accreditation")
@requires(Action.ACCREDIT_SESSIONS)
def grants_show(public_id: str) -> ResponseReturnValue:
    """The grants of one session, each in a sentence."""
    return _show(session_service.by_public_id(g.db, public_id), "")


@bp.post("/sessions/<public_id>/accreditation/copy")
@requires(Action.ACCREDIT_SESSIONS)
def grants_copy(public_id: str) -> ResponseReturnValue:
    """The same as last time."""
    session = session_service.by_public_id(g.db, public_id)
    try:
        added = copies.copy_grants(
            g.db,
            session,
            request.form.get("source", ""),
            as_decided="decided" in request.form,
            actor_id=current_user.id,
            calendar=calendar(),
            now=g.now,
        )
    except DomainError as refusal:
        g.db.rollback()
        return _show(session_service.by_public_id(g.db, public_id), str(refusal)), refusal.status
    g.db.commit()
    if added:
        flash(f"{plural(len(added), 'grant is', 'grants are')} taken over.", "success")
    else:
        flash("This session has all those grants already.", "notice")
    return _back(public_id)


@bp.get("/sessions/<public_id>/accreditation/new")
@requires(Action.ACCREDIT_SESSIONS)
def grant_new(public_id: str) -> ResponseReturnValue:
    """The rules to choose from; with `rule` in the address, the form with the usual values."""
    session = session_service.by_public_id(g.db, public_id)
    rule = _rule_asked_for()
    if rule is None:
        offered = [(one, words_of(one.rules)) for one in rules_offered(g.db)]
        return render_template("manage/grant_rules.html", session=session, rules=offered)
    typed = Typed.proposed(session, rule, accreditors.listed(g.db))
    return _form(session, None, typed, {})


@bp.post("/sessions/<public_id>/accreditation/new")
@requires(Action.ACCREDIT_SESSIONS)
def grant_add(public_id: str) -> ResponseReturnValue:
    """Add a grant."""
    return _save(session_service.by_public_id(g.db, public_id), None)


@bp.get("/sessions/<public_id>/accreditation/<int:grant_id>")
@requires(Action.ACCREDIT_SESSIONS)
def grant_edit(public_id: str, grant_id: int) -> ResponseReturnValue:
    """One grant as a form."""
    session = session_service.by_public_id(g.db, public_id)
    grant = grants.grant_of(g.db, session, grant_id)
    typed = Typed.from_grant(session, grant, rule_of(grant.policy))
    return _form(session, grant, typed, {})


@bp.post("/sessions/<public_id>/accreditation/<int:grant_id>")
@requires(Action.ACCREDIT_SESSIONS)
def grant_change(public_id: str, grant_id: int) -> ResponseReturnValue:
    """Keep what was typed."""
    session = session_service.by_public_id(g.db, public_id)
    return _save(session, grants.grant_of(g.db, session, grant_id))


@bp.post("/sessions/<public_id>/accreditation/<int:grant_id>/remove")
@requires(Action.ACCREDIT_SESSIONS)
def grant_remove(public_id: str, grant_id: int) -> ResponseReturnValue:
    """Take a grant away that nobody's credit rests on."""
    session = session_service.by_public_id(g.db, public_id)
    grant = grants.grant_of(g.db, session, grant_id)
    try:
        grants.remove_grant(
            g.db, session, grant, actor_id=current_user.id, calendar=calendar(), now=g.now
        )
    except DomainError as refusal:
        g.db.rollback()
        return _show(session_service.by_public_id(g.db, public_id), str(refusal)), refusal.status
    g.db.commit()
    flash("The grant is removed.", "success")
    return _back(public_id)


def _save(session: WebinarSession, grant: AccreditationGrant | None) -> ResponseReturnValue:
    typed = Typed.from_form(request.form)
    bodies, rules = accreditors.listed(g.db), _rules_for(grant)
    values, errors = read(typed, zone=session.zone, rules=rules, bodies=bodies)
    if values is None:
        return _form(session, grant, typed, errors), 422
    public_id, grant_id = session.public_id, grant.id if grant else None
    try:
        body = values.body or _new_body(typed)
        details = _details(session, _put_in(session, grant, bodies), typed, values, body)
        words = _store(session, grant, details)
    except DomainError as refusal:
        g.db.rollback()
        session = session_service.by_public_id(g.db, public_id)
        grant = grants.grant_of(g.db, session, grant_id) if grant_id else None
        return _form(session, grant, typed, {field_of(refusal): str(refusal)}), refusal.status
    g.db.commit()
    flash(words, "success")
    return _back(public_id)


def _store(session: WebinarSession, grant: AccreditationGrant | None, details: GrantDetails) -> str:
    """What was done, in words."""
    actor_id, tool = current_user.id, calendar()
    if grant is None:
        grants.add_grant(g.db, session, details, actor_id=actor_id, calendar=tool, now=g.now)
        done = "The grant is added."
    elif grants.change_grant(
        g.db, session, grant, details, actor_id=actor_id, calendar=tool, now=g.now
    ):
        done = "The grant is changed."
    else:
        return "Nothing was different, so nothing was changed."
    if session.status is SessionStatus.ENDED:
        return f"{done} Credit is decided anew within a minute."
    return done


def _new_body(typed: Typed) -> Accreditor:
    return accreditors.add(
        g.db,
        name=typed.body_name,
        short_name=typed.body_short_name,
        unit=typed.body_unit,
        actor_id=current_user.id,
        now=g.now,
    )


def _put_in(
    session: WebinarSession, grant: AccreditationGrant | None, bodies: list[Accreditor]
) -> tuple[str, str]:
    """The permitted words that the form was given for this grant: applied for, granted."""
    if grant is not None:
        slug = grant.accreditor.slug
        granted = permitted_when_granted(slug, session, grant.credits_granted)
        return applied_statement(slug, grants.activity_of(session)), granted
    rule = _rule_asked_for()
    proposed = Typed.proposed(session, rule, bodies) if rule else Typed()
    return proposed.statement_applied, proposed.statement_granted


def _details(
    session: WebinarSession,
    put_in: tuple[str, str],
    typed: Typed,
    values: Values,
    body: Accreditor,
) -> GrantDetails:
    """The values, with the permitted words following the body and the credits typed."""
    applied = applied_statement(body.slug, grants.activity_of(session))
    granted = permitted_when_granted(body.slug, session, values.credits)
    return GrantDetails(
        accreditor_id=body.id,
        policy_id=values.rule.policy.id,
        status=values.status,
        credits=values.credits,
        reference=typed.reference,
        edition=typed.edition,
        applied_on=values.applied_on,
        decided_on=values.decided_on,
        statement_applied=in_step(typed.statement_applied, was=put_in[0], now=applied),
        statement_granted=in_step(typed.statement_granted, was=put_in[1], now=granted),
        credit_until=values.credit_until,
    )


def _rule_asked_for() -> Rule | None:
    asked = request.args.get("rule", "")
    return next((rule for rule in rules_offered(g.db) if rule.key == asked), None)


def _rules_for(grant: AccreditationGrant | None) -> list[Rule]:
    """The newest rules, and the one the grant has if there is a newer version of it."""
    offered = rules_offered(g.db)
    if grant is None:
        return offered
    present = rule_of(grant.policy)
    rest = [rule for rule in offered if rule.key != present.key]
    return [present, *(rule for rule in rest if rule.rules.mode is present.rules.mode)]


def _form(
    session: WebinarSession,
    grant: AccreditationGrant | None,
    typed: Typed,
    errors: Mapping[str, str],
) -> str:
    rules = _rules_for(grant)
    chosen = next((rule for rule in rules if rule.key == typed.rule), None)
    bodies = [(body.slug, body.name) for body in accreditors.listed(g.db)]
    return render_template(
        "manage/grant.html",
        session=session,
        grant=grant,
        typed=typed,
        errors=errors,
        chosen=chosen,
        chosen_words=words_of(chosen.rules) if chosen else "",
        rules=[(rule.key, _rule_label(rule)) for rule in rules],
        bodies=[*bodies, (ANOTHER, "Another body")],
        states=[(state.value, words) for state, words in STATES.items()],
        put_in=request.args.get("rule", ""),
        why_kept=why_kept(g.db, grant) if grant else "",
    )


def _show(session: WebinarSession, problem: str) -> str:
    has_test = bool(quizzes.questions_of(g.db, session.id))
    found = grants.grants_of(g.db, session.id)
    kept = reasons_kept(g.db, found)
    return render_template(
        "manage/grants.html",
        session=session,
        mark=mark_of(session),
        problem=problem,
        grants=[_stated(grant, has_test, kept[grant.id]) for grant in found],
        sources=[
            (source, ", ".join(amount_of(grant) for grant in source.grants))
            for source in copies.sources(g.db, session)
        ],
        earns=rows_of(session),
        hours=hours_of(session),
    )


def _stated(grant: AccreditationGrant, has_test: bool, why_kept: str) -> Stated:
    rules, unit = rule_of(grant.policy).rules, grant.accreditor.unit
    words = words_of(rules, granted=grant.credits_granted, unit=unit)
    if grant.status is GrantStatus.APPLIED:
        words = f"Once granted: {words[0].lower()}{words[1:]}"
    elif grant.status is not GrantStatus.GRANTED:
        words = f"Nobody earns credit under it. As granted: {words[0].lower()}{words[1:]}"
    statement = shown_statement(
        grant.status, applied=grant.statement_applied, granted=grant.statement_granted
    )
    return Stated(
        grant=grant,
        mark=MARKS[grant.status],
        amount=amount_words(grant.credits_granted, unit),
        words=words,
        statement=statement,
        names_another=bool(statement)
        and not names_activity(statement, grants.activity_of(grant.session)),
        needs_test=rules.test_required and not has_test,
        why_kept=why_kept,
    )


def _rule_label(rule: Rule) -> str:
    return f"{rule.rules.body}, version {rule.policy.version}: {words_of(rule.rules)}"


def _back(public_id: str) -> ResponseReturnValue:
    return redirect(url_for("manage.grants_show", public_id=public_id))
