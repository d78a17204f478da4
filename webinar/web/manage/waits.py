"""What waits for an organiser, in words: a heading with its number, a hint, a next step."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from flask import url_for

from webinar.domain.waiting import Planned, Wait, Waiting
from webinar.domain.wording import plural

LINES_SHOWN = 6


@dataclass(frozen=True)
class Line:
    """A session, what is the matter, and the next step as a link."""

    session: Planned
    names: str
    step: str
    href: str


@dataclass(frozen=True)
class Group:
    """All that waits for one reason."""

    kind: str
    heading: str
    """Begins with the number."""
    hint: str
    lines: tuple[Line, ...]
    more_href: str
    """Where the rest stands; "" if all of it is here."""


@dataclass(frozen=True)
class _Words:
    one: str
    many: str
    hint: str
    step: str
    endpoint: str
    fragment: str = ""


WORDS = {
    Wait.LIVE: _Words(
        "session live now", "sessions live now", "", "See its figures", "session_figures"
    ),
    Wait.CONSENT: _Words(
        "session with a consent taken back",
        "sessions with a consent taken back",
        "Somebody does not want to be recorded, or to be watched any longer.",
        "Decide what is kept",
        "session_faculty",
    ),
    Wait.MORE_TIME: _Words(
        "request for more time with a recording",
        "requests for more time with recordings",
        "Somebody could not watch before the window closed, or will not be able to.",
        "Answer",
        "recording_window",
        "asked",
    ),
    Wait.UNSEEN: _Words(
        "recording to look at",
        "recordings to look at",
        "Ready, and nobody else can watch it before you publish it.",
        "Look and publish",
        "recording_desk",
    ),
    Wait.MODERATOR: _Words(
        "session without a moderator",
        "sessions without a moderator",
        "Within the next two weeks. Nobody goes on air without one.",
        "Name a moderator",
        "session_edit",
        "faculty",
    ),
    Wait.DISCLOSURE: _Words(
        "session with disclosures missing",
        "sessions with disclosures missing",
        "Within the next four weeks. People are told of every speaker's interests.",
        "Ask for them",
        "session_faculty",
    ),
    Wait.DRAFT: _Words(
        "draft in the next four weeks",
        "drafts in the next four weeks",
        "Nobody can register for a draft.",
        "Fill and publish",
        "session_edit",
    ),
    Wait.PRESENTER: _Words(
        "session without a presenter",
        "sessions without a presenter",
        "Within the next twelve weeks.",
        "Name a presenter",
        "session_edit",
        "faculty",
    ),
    Wait.CLOSING: _Words(
        "recording closing soon",
        "recordings closing soon",
        "Within the next two weeks.",
        "See the windows",
        "recordings",
    ),
    Wait.CREDIT: _Words(
        "published session without credit",
        "published sessions without credit",
        "In the next four weeks. Not every session earns credit; these ask no body for any.",
        "Apply for credit",
        "grants_show",
    ),
}


def groups_of(waits: Mapping[Wait, Sequence[Waiting]]) -> list[Group]:
    """In the given order, the first few lines of each."""
    return [_group(kind, found) for kind, found in waits.items()]


def _group(kind: Wait, found: Sequence[Waiting]) -> Group:
    words = WORDS[kind]
    return Group(
        kind=kind.value,
        heading=plural(len(found), words.one, words.many),
        hint=words.hint,
        lines=tuple(_line(waiting, words) for waiting in found[:LINES_SHOWN]),
        more_href=_more(kind) if len(found) > LINES_SHOWN else "",
    )


def _line(waiting: Waiting, words: _Words) -> Line:
    public_id = None if words.endpoint == "recordings" else waiting.session.public_id
    return Line(
        session=waiting.session,
        names=", ".join(waiting.names),
        step=words.step,
        href=url_for(
            f"manage.{words.endpoint}", public_id=public_id, _anchor=words.fragment or None
        ),
    )


def _more(kind: Wait) -> str:
    if kind is Wait.CLOSING:
        return url_for("manage.recordings")
    if kind is Wait.CREDIT:
        return url_for("manage.accreditation")
    return url_for(
        "manage.sessions",
        status="draft" if kind is Wait.DRAFT else None,
        sort="presenter" if kind is Wait.PRESENTER else None,
    )
