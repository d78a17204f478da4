"""The list of all sessions: what its address asks for, and its lines."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields, replace

from flask import url_for

from webinar.domain.session import FacultyPart, SessionStatus
from webinar.models import WebinarSession
from webinar.web.manage.states import Mark, mark_of
from webinar.web.numbers import whole_number

PAGE_SIZE = 50


@dataclass(frozen=True)
class Row:
    """A line of the list."""

    session: WebinarSession
    mark: Mark
    presenters: str
    registered: int

    @property
    def may_move(self) -> bool:
        """True while its time may still change."""
        return self.session.status in (SessionStatus.DRAFT, SessionStatus.PUBLISHED)


@dataclass(frozen=True)
class Asked:
    """What the address asks for; "" is no wish."""

    view: str = ""  # "month", else the list
    month: str = ""  # 2026-11, for the month view
    society: str = ""
    series: str = ""
    topic: str = ""
    status: str = ""
    when: str = ""  # "past", "all", else what is to come
    words: str = ""
    sort: str = ""
    page: str = ""

    @classmethod
    def from_args(cls, args: Mapping[str, str]) -> "Asked":
        """The wishes in an address."""
        return cls(**{field.name: args.get(field.name, "").strip() for field in fields(cls)})

    @property
    def state(self) -> SessionStatus | None:
        """The state asked for; one that does not exist is no wish."""
        known = {status.value for status in SessionStatus}
        return SessionStatus(self.status) if self.status in known else None

    @property
    def page_number(self) -> int:
        """From 1; what is no number is the first page."""
        return max(1, whole_number(self.page) or 1)

    @property
    def is_filtered(self) -> bool:
        """True if something other than the time narrows the list."""
        return bool(self.society or self.series or self.topic or self.status or self.words)

    def href(self, **changes: str) -> str:
        """The address with other wishes; a change of filter starts at the first page."""
        asked = replace(self, **{"page": "", **changes})
        kept = {name: value for name, value in asdict(asked).items() if value}
        return url_for("manage.sessions", **kept)


COLUMNS = (
    ("", "Time"),
    ("title", "Session"),
    ("state", "State"),
    ("presenter", "Presenter"),
    ("registered", "Registered"),
)


def rows_of(sessions: Sequence[WebinarSession], registered: Mapping[int, int]) -> list[Row]:
    """Lines in the order of the sessions."""
    return [
        Row(
            session,
            mark_of(session),
            ", ".join(
                member.name for member in session.faculty if member.part is FacultyPart.PRESENTER
            ),
            registered.get(session.id, 0),
        )
        for session in sessions
    ]


def columns_of(asked: Asked) -> list[dict[str, object]]:
    """Heads that sort: pressing one again turns the order round."""
    name = asked.sort.removeprefix("-")
    down = asked.sort.startswith("-")
    heads: list[dict[str, object]] = []
    for key, label in COLUMNS:
        is_sorted = name == key
        turned = f"-{key}" if is_sorted and not down else key
        heads.append(
            {
                "label": label,
                "numeric": key == "registered",
                "sort_href": asked.href(sort=turned),
                "sorted": ("descending" if down else "ascending") if is_sorted else "",
            }
        )
    return [*heads, {"label": "Move", "numeric": False}]
