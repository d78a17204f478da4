"""The audit trail: who did what to what, filtered, exported, checked; the history of a session."""

import csv
import io
import re
from collections.abc import Iterator
from dataclasses import asdict, dataclass, fields, replace
from datetime import UTC, date, datetime, time, timedelta
from urllib.parse import urlencode

from flask import Response, g, render_template, request, url_for
from flask.typing import ResponseReturnValue

from webinar.db import read_db
from webinar.documents.sheets import FORMULA
from webinar.domain.access import Action
from webinar.domain.differences import Difference, differences
from webinar.domain.errors import DomainError
from webinar.domain.timezone import to_utc
from webinar.domain.wording import city_of_zone, local_date, local_time
from webinar.models import AuditEvent
from webinar.services import accounts, audit, audit_trail
from webinar.services import sessions as session_service
from webinar.services.audit_trail import About, Kind, Line, Wanted
from webinar.web.access import allows, requires
from webinar.web.guards import limiter
from webinar.web.manage.blueprint import bp
from webinar.web.numbers import whole_number

PAGE_SIZE = 50
CLOCK = "clock"
INSTANT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d+)?)?\+00:00", re.ASCII)
COLUMNS = (
    "id", "at", "who", "action", "subject", "reason", "previous_hash", "hash", "document",
)  # fmt: skip


@dataclass(frozen=True)
class Asked:
    """The filters as they stand in the address; "" is no wish."""

    by: str = ""  # an e-mail, or "clock"
    action: str = ""
    about: str = ""  # the address of a page, an e-mail, or a subject
    since: str = ""
    until: str = ""  # this day included

    @classmethod
    def from_args(cls) -> "Asked":
        """From the request."""
        return cls(**{one.name: request.args.get(one.name, "").strip() for one in fields(cls)})

    def href(self, endpoint: str = "manage.audit", *, by: str = "", below: str = "") -> str:
        """The address with these wishes; `by`: of somebody else, `below`: a later page."""
        kept = {**asdict(self), **({"by": by} if by else {}), "below": below}
        query = urlencode({name: text for name, text in kept.items() if text})
        return url_for(endpoint) + (f"?{query}" if query else "")


@dataclass(frozen=True)
class Shown:
    """A line of the trail for the page."""

    line: Line
    href: str
    """The page of what it is about, "" if there is none any more."""
    changes: tuple[Difference, ...]


@bp.get("/audit/", endpoint="audit")
@requires(Action.READ_AUDIT)
def audit_list() -> ResponseReturnValue:
    """The newest first, as the address asks."""
    asked = Asked.from_args()
    wanted, errors = _wanted(asked)
    below = _below()
    lines = [] if errors else audit_trail.page(g.db, wanted, below=below, limit=PAGE_SIZE + 1)
    shown = [_shown(line) for line in lines[:PAGE_SIZE]]
    page = render_template(
        "manage/audit.html",
        asked=asked,
        errors=errors,
        lines=shown,
        actions=[("", "Everything"), *((one, one) for one in audit_trail.actions(g.db))],
        is_filtered=asked != Asked(),
        newest=asked.href() if below is not None else "",
        older=asked.href(below=str(shown[-1].line.event.id)) if len(lines) > PAGE_SIZE else "",
        export=asked.href("manage.audit_export"),
    )
    return page, 422 if errors else 200


@bp.get("/audit/trail.csv")
@requires(Action.READ_AUDIT)
@limiter.limit("20 per hour")
def audit_export() -> ResponseReturnValue:
    """What the filters leave, oldest first, each with what its hash is made of."""
    wanted, errors = _wanted(Asked.from_args())
    if errors:
        raise DomainError(" ".join(errors.values()))
    headers = {"Content-Disposition": "attachment; filename=audit-trail.csv"}
    return Response(_csv(wanted), mimetype="text/csv", headers=headers)


@bp.get("/audit/check")
@requires(Action.READ_AUDIT)
@limiter.limit("20 per hour")
def audit_check() -> ResponseReturnValue:
    """Work every hash out again and say whether the trail is whole."""
    broken = audit.first_broken(g.db)
    number, end = audit_trail.size_and_end(g.db)
    return render_template("manage/audit_check.html", broken=broken, number=number, end=end)


@bp.get("/sessions/<public_id>/history")
@requires(Action.PLAN_SESSIONS)
def session_history(public_id: str) -> ResponseReturnValue:
    """What was done to one session, the newest first."""
    session = session_service.by_public_id(g.db, public_id)
    below = _below()
    wanted = Wanted(subject=f"session {session.id}")
    lines = audit_trail.page(g.db, wanted, below=below, limit=PAGE_SIZE + 1)
    shown = [_shown(line) for line in lines[:PAGE_SIZE]]
    here = url_for("manage.session_history", public_id=public_id)
    return render_template(
        "manage/session_history.html",
        session=session,
        lines=shown,
        newest=here if below is not None else "",
        older=f"{here}?below={shown[-1].line.event.id}" if len(lines) > PAGE_SIZE else "",
    )


def _below() -> int | None:
    return whole_number(request.args.get("below", ""), digits=15)


def _wanted(asked: Asked) -> tuple[Wanted, dict[str, str]]:
    """The filters read; a sentence for each that cannot be."""
    wanted, errors = Wanted(action=asked.action), dict[str, str]()
    if asked.by == CLOCK:
        wanted = replace(wanted, by_clock=True)
    elif asked.by:
        try:
            wanted = replace(wanted, actor_id=accounts.by_email(g.db, asked.by).id)
        except DomainError as refusal:
            errors["by"] = str(refusal)
    if asked.about:
        try:
            wanted = replace(wanted, subject=audit_trail.subject_of(g.db, asked.about))
        except DomainError as refusal:
            errors["about"] = str(refusal)
    for name, later in (("since", 0), ("until", 1)):
        text = asdict(asked)[name]
        try:
            at = _midnight(date.fromisoformat(text), later) if text else None
        except (ValueError, OverflowError):
            errors[name] = "Give a day as a date: 2026-11-03."
        else:
            wanted = replace(wanted, since=at) if name == "since" else replace(wanted, until=at)
    return wanted, errors


def _midnight(day: date, later: int) -> datetime:
    wall = datetime.combine(day + timedelta(days=later), time())
    return to_utc(wall, g.home_zone, on_gap="forward", on_fold="first")


def _shown(line: Line) -> Shown:
    found = differences(line.event.before, line.event.after)
    return Shown(
        line,
        _page_of(line.about),
        tuple(Difference(one.name, _readable(one.was), _readable(one.now)) for one in found),
    )


def _page_of(about: About | None) -> str:
    """The page of what an event is about, one that opens for the reader."""
    if about is None:
        return ""
    plans, at = allows(Action.PLAN_SESSIONS), about.address
    match about.kind:
        case Kind.SESSION:
            return url_for(f"manage.{'session_history' if plans else 'grants_show'}", public_id=at)
        case Kind.SERIES:
            return url_for("manage.series_show" if plans else "series.show", slug=at)
        case Kind.SOCIETY:
            return url_for("manage.society_edit" if plans else "societies.show", slug=at)
        case Kind.TOPIC:
            return url_for("manage.topic_edit", topic_id=at) if plans else ""
        case Kind.USER:
            return url_for("manage.person_show", user_id=at) if allows(Action.MANAGE_PEOPLE) else ""


def _readable(text: str) -> str:
    """Instants as people say them; all else as it was written down."""
    if not INSTANT.fullmatch(text):
        return text
    at, zone = datetime.fromisoformat(text), g.home_zone
    return f"{local_date(at, zone)}, {local_time(at, zone)} {city_of_zone(zone)}"


def _csv(wanted: Wanted) -> Iterator[str]:
    """Line by line: a trail of years does not fit a worker."""
    buffer = io.StringIO()
    writer = csv.writer(buffer)
    writer.writerow(COLUMNS)
    # The reader of the request is gone when the answer flows.
    with read_db() as db:
        for event, email in audit_trail.oldest_first(db, wanted):
            writer.writerow([_harmless(cell) for cell in _cells(event, email)])
            yield buffer.getvalue()
            buffer.seek(0)
            buffer.truncate()
    yield buffer.getvalue()


def _cells(event: AuditEvent, email: str) -> list[str]:
    return [
        str(event.id),
        event.at.astimezone(UTC).isoformat(),
        email or CLOCK,
        event.action,
        event.subject,
        event.reason,
        event.previous_hash,
        event.hash,
        # Begins with a bracket, so no spreadsheet runs it, and its bytes can be hashed again.
        audit.document_of(event),
    ]


def _harmless(cell: str) -> str:
    return f"'{cell}" if FORMULA.match(cell) else cell
