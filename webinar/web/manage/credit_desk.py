"""The officer's desk: sessions that ask for something, and in each who waits for what."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields, replace

from flask import current_app, flash, g, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user

from webinar.domain.access import Action
from webinar.domain.credit import Reason
from webinar.domain.errors import NotFound
from webinar.domain.wording import plural
from webinar.models import CreditDecision, User, WebinarSession
from webinar.services import credit_desk as desk
from webinar.services import credit_reminders as reminders
from webinar.services import credits, people, redeciding
from webinar.services import sessions as session_service
from webinar.services.credit_desk import Group, Wanted
from webinar.services.evidence import corrections
from webinar.web.access import requires
from webinar.web.credit_answers import answers_of
from webinar.web.credit_words import mark_of_decision
from webinar.web.manage import scope
from webinar.web.manage.blueprint import bp
from webinar.web.numbers import whole_number

SESSIONS_A_PAGE = 30
PEOPLE_A_PAGE = 50
AT_ONCE = 100
"""So many people are decided while one waits; more are left to the clock."""

WANTED_WORDS = {
    Wanted.TO_DO: "For you to do",
    Wanted.WAITING: "Participants’ turn",
    Wanted.ALL: "All",
}
GROUP_WORDS = {
    Group.EVERYBODY: "Everybody",
    Group.APPEAL: "Appeal open",
    Group.EVALUATION: "Evaluation missing",
    Group.TEST: "Test missing or failed",
    Group.NUMBER: "Number missing",
    Group.TOO_LATE: "Too late",
    Group.TOO_LITTLE: "Not enough",
    Group.OTHER: "Other reasons",
    Group.EARNED: "Earned",
}
PENDING_WORDS = {
    Reason.PENDING_EVALUATION: "evaluation",
    Reason.PENDING_TEST: "test",
    Reason.PENDING_IDENTIFIER: "number",
}


@dataclass(frozen=True)
class Asked:
    """What the address of a session's people asks for; "" is no wish."""

    group: str = ""
    words: str = ""
    page: str = ""

    @classmethod
    def read(cls, values: Mapping[str, str]) -> "Asked":
        """The wishes in an address, or in a form that carries them."""
        return cls(**{one.name: values.get(one.name, "").strip() for one in fields(cls)})

    @property
    def chosen(self) -> Group:
        """The group; one that does not exist is everybody."""
        return Group(self.group) if self.group in frozenset(Group) else Group.EVERYBODY

    @property
    def number(self) -> int:
        """Of the page, from 1."""
        return max(1, whole_number(self.page) or 1)

    def href(self, public_id: str, **changes: str) -> str:
        """The address with other wishes; a change of filter starts at the first page."""
        asked = replace(self, **{"page": "", **changes})
        kept = {name: value for name, value in asdict(asked).items() if value}
        return url_for("manage.credit_people", public_id=public_id, **kept)


@bp.get("/credit/")
@requires(Action.DECIDE_CREDIT)
def credit_desk() -> ResponseReturnValue:
    """The sessions that ask for something; with `show` in the address, others."""
    asked = request.args.get("show", "")
    wanted = Wanted(asked) if asked in frozenset(Wanted) else Wanted.TO_DO
    number = max(1, whole_number(request.args.get("page", "")) or 1)
    ids = scope.society_ids()
    # One more than is shown says whether there are later ones.
    found = desk.sessions(
        g.db,
        wanted,
        society_ids=ids,
        now=g.now,
        limit=SESSIONS_A_PAGE + 1,
        offset=(number - 1) * SESSIONS_A_PAGE,
    )
    return render_template(
        "manage/credit_desk.html",
        lines=found[:SESSIONS_A_PAGE],
        wanted=wanted,
        tabs=[
            (WANTED_WORDS[one], _desk_href(one), one is wanted, count)
            for one, count in desk.count_sessions(g.db, society_ids=ids, now=g.now).items()
        ],
        pending_words=PENDING_WORDS,
        earlier=_desk_href(wanted, number - 1) if number > 1 else "",
        later=_desk_href(wanted, number + 1) if len(found) > SESSIONS_A_PAGE else "",
    )


@bp.get("/credit/<public_id>")
@requires(Action.DECIDE_CREDIT)
def credit_people(public_id: str) -> ResponseReturnValue:
    """The people of one session with what stands for each, and why."""
    session = session_service.by_public_id(g.db, public_id)
    asked = Asked.read(request.args)
    found = desk.people(
        g.db,
        session.id,
        asked.chosen,
        words=asked.words,
        limit=PEOPLE_A_PAGE + 1,
        offset=(asked.number - 1) * PEOPLE_A_PAGE,
    )
    counts = desk.count_people(g.db, session.id)
    later = asked.href(public_id, page=str(asked.number + 1))
    return render_template(
        "manage/credit_people.html",
        session=session,
        counts=desk.counts_of(g.db, session, now=g.now),
        lines=found[:PEOPLE_A_PAGE],
        asked=asked,
        groups=[
            (GROUP_WORDS[group], asked.href(public_id, group=group.value), counts[group])
            for group in Group
            if group is Group.EVERYBODY or counts[group]
        ],
        chosen=GROUP_WORDS[asked.chosen],
        how_many=counts[asked.chosen],
        mark_of=mark_of_decision,
        pending_words=PENDING_WORDS,
        earlier=asked.href(public_id, page=str(asked.number - 1)) if asked.number > 1 else "",
        later=later if len(found) > PEOPLE_A_PAGE else "",
    )


@bp.get("/credit/<public_id>/people/<int(max=2147483647):user_id>")
@requires(Action.DECIDE_CREDIT)
def credit_person(public_id: str, user_id: int) -> ResponseReturnValue:
    """One person in one session: each grant with its picture, as the person sees it, and more."""
    session = session_service.by_public_id(g.db, public_id)
    user = _person(session, user_id)
    return render_template(
        "manage/credit_person.html",
        session=session,
        who=user,
        answers=answers_of(session, user.id),
        revisions=_revisions(session, user),
        corrections=corrections.of_session(g.db, session.id, user_id=user.id),
        mark_of=mark_of_decision,
    )


@bp.post("/credit/<public_id>/act")
@requires(Action.DECIDE_CREDIT)
def credit_act(public_id: str) -> ResponseReturnValue:
    """Remind people, or decide for them again; the first press asks, the second one does it."""
    session = session_service.by_public_id(g.db, public_id)
    asked = Asked.read(request.form)
    is_reminder = request.form.get("do", "") == "remind"
    user_ids = _chosen(session, asked)
    if not user_ids:
        flash("Choose somebody first.", "warning")
        return redirect(asked.href(public_id), code=303)
    if "confirmed" not in request.form:
        return render_template(
            "manage/credit_act.html",
            session=session,
            asked=asked,
            is_reminder=is_reminder,
            is_all=request.form.get("who") == "all",
            user_ids=user_ids,
            planned=reminders.plan(g.db, session.id, user_ids, now=g.now) if is_reminder else None,
            at_once=AT_ONCE,
            chosen=GROUP_WORDS[asked.chosen],
        )
    if is_reminder:
        sent = reminders.send(g.db, session, user_ids, actor_id=current_user.id, now=g.now)
        words = f"{plural(len(sent.user_ids), 'mail is', 'mails are')} on the way."
    elif len(user_ids) > AT_ONCE:
        redeciding.mark_held(g.db, session.id, now=g.now)
        redeciding.mark_recorded(g.db, session.id, now=g.now)
        words = "Everybody of this session is decided again within a few minutes."
    else:
        fresh = credits.decide_people(
            g.db, session.id, user_ids, public_url=current_app.config["PUBLIC_URL"], now=g.now
        )
        words = f"{plural(len(user_ids), 'person is', 'people are')} decided again: " + (
            f"{plural(len(fresh), 'decision')} changed." if fresh else "nothing changed."
        )
    g.db.commit()
    flash(words, "success")
    return redirect(asked.href(public_id), code=303)


def _chosen(session: WebinarSession, asked: Asked) -> list[int]:
    """Whom the form means; people of another session are nobody here."""
    there = desk.people_ids(session.id, asked.chosen, words=asked.words)
    if request.form.get("who") == "all":
        return list(g.db.scalars(there))
    typed = {whole_number(text) for text in request.form.getlist("user")[:PEOPLE_A_PAGE]}
    everybody = desk.people_ids(session.id, Group.EVERYBODY)
    return list(g.db.scalars(everybody.where(User.id.in_([one for one in typed if one]))))


def _person(session: WebinarSession, user_id: int) -> User:
    """Somebody with a place at this desk: others' accounts are none of its business."""
    if g.db.scalar(desk.people_ids(session.id, Group.EVERYBODY).where(User.id == user_id)) is None:
        raise NotFound("Nobody with that number has credit decided in this session.")
    return people.person(g.db, user_id).user


def _revisions(session: WebinarSession, user: User) -> dict[int, list[CreditDecision]]:
    """Every decision there ever was, by grant, the newest first."""
    found: dict[int, list[CreditDecision]] = {}
    for decision in desk.revisions_of(g.db, session.id, user.id):
        found.setdefault(decision.grant_id, []).append(decision)
    return found


def _desk_href(wanted: Wanted, page: int = 1) -> str:
    return url_for(
        "manage.credit_desk",
        show=None if wanted is Wanted.TO_DO else wanted.value,
        page=page if page > 1 else None,
    )
