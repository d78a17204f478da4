"""The page of one session: its form, and beside it what can be done with it next."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime

from flask import g, render_template, request, url_for

from webinar.domain.access import Action
from webinar.domain.gate import missing_before_publishing
from webinar.domain.session import SessionStatus
from webinar.domain.timezone import zone_names
from webinar.models import WebinarSession
from webinar.services import accreditation, audience_groups, gate, topics
from webinar.services import sessions as session_service
from webinar.services.session_facts import OF_ANOTHER, name_for
from webinar.web.manage import scope
from webinar.web.manage.grant_form import chip_words
from webinar.web.manage.session_form import (
    LANGUAGES,
    LEVELS,
    MOST_FACULTY,
    PARTS,
    Typed,
    TypedMember,
)
from webinar.web.manage.session_plan import reach_of
from webinar.web.manage.session_told import cancelling, restoring, sentence
from webinar.web.manage.states import mark_of

MENDED_AT = {
    "a title": "#f-title",
    "an abstract": "#f-abstract",
    "learning objectives": "#f-objectives",
    "a presenter": "#faculty",
}


@dataclass(frozen=True)
class Missing:
    """What the gate asks for, and where it is put right."""

    words: str
    href: str


@dataclass(frozen=True)
class Overlap:
    """A session at the same time, as this person may know it; `href` is "" for what is secret."""

    title: str
    href: str
    starts_at: datetime
    ends_at: datetime


@dataclass(frozen=True)
class Opened:
    """What the form says, and what the session said when it was opened."""

    typed: Typed
    base: Typed
    revision: int
    scope: str = "one"

    @classmethod
    def now(cls, session: WebinarSession) -> "Opened":
        """The form as it is opened."""
        typed = Typed.from_session(g.db, session)
        return cls(typed, typed, session.revision)


def session_page(
    session: WebinarSession,
    opened: Opened,
    errors: dict[str, str],
    *,
    more_rows: int = 0,
) -> str:
    """The form with what was typed, errors beside their fields, and the next steps."""
    return render_template(
        "manage/session_edit.html",
        session=session,
        opened=opened,
        typed=with_rows(opened.typed, more_rows),
        errors=errors,
        mark=mark_of(session),
        cancelling=cancelling(session),
        restoring=restoring(session),
        sentence=sentence,
        missing=missing_from(session),
        reach=reach_of(session),
        earns=[chip_words(grant) for grant in accreditation.grants_of(g.db, session.id)],
        overlaps=[_overlap(other) for other in session_service.overlapping(g.db, session)],
        reason=request.form.get("reason", ""),
        override_reason=request.form.get("override_reason", ""),
        **choices(opened.typed, [session.society_id]),
    )


def _overlap(other: WebinarSession) -> Overlap:
    """Drafts of other societies have no name here: nobody has announced them."""
    ids = scope.society_ids(Action.PLAN_SESSIONS)
    title = name_for(other.title, other.status, other.society_id, ids)
    href = ""
    if ids is None or other.society_id in ids:
        href = url_for("manage.session_edit", public_id=other.public_id)
    elif title != OF_ANOTHER:
        href = url_for("sessions.show", public_id=other.public_id)
    return Overlap(title, href, other.starts_at, other.ends_at)


def choices(typed: Typed, society_ids: Iterable[int]) -> dict[str, object]:
    """What the fields of the form offer to organisers of these societies."""
    known = [topic.name for topic in topics.listed(g.db)]
    groups = [
        group.name
        for society_id in society_ids
        for group in audience_groups.offered(g.db, society_id)
    ]
    return {
        "topics": _pairs([*known, *typed.topics]),
        "groups": _pairs([*groups, *typed.audience]),
        "languages": LANGUAGES,
        "levels": LEVELS,
        "parts": PARTS,
        "zones": [(name, name.replace("_", " ")) for name in zone_names()],
        "most_faculty": MOST_FACULTY,
    }


def with_rows(typed: Typed, more: int = 0) -> Typed:
    """With empty rows for more faculty, one at least where nobody stands yet."""
    blank = TypedMember(part="presenter" if not typed.faculty else "moderator")
    blanks = max(more, 0 if typed.faculty else 1)
    return replace(typed, faculty=(*typed.faculty, *[blank] * blanks)[:MOST_FACULTY])


def missing_from(session: WebinarSession) -> list[Missing]:
    """What the gate still asks for, each with its field or page; only a draft is asked."""
    if session.status is not SessionStatus.DRAFT:
        return []
    here = url_for("manage.session_edit", public_id=session.public_id)
    faculty = url_for("manage.session_faculty", public_id=session.public_id)
    words = missing_before_publishing(gate.facts_of(g.db, session))
    return [
        Missing(found, f"{here}{MENDED_AT[found]}" if found in MENDED_AT else faculty)
        for found in words
    ]


def _pairs(names: list[str]) -> list[tuple[str, str]]:
    return [(name, name) for name in dict.fromkeys(names)]
