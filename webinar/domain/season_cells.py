"""A session as a row of the season's table: the same words out as an import reads in."""

from collections.abc import Mapping
from datetime import timedelta

from webinar.domain.season_sheet import EXPORTED, Person
from webinar.domain.session_details import FacultyDetails, SessionDetails

MINUTE = timedelta(minutes=1)


def cells_of(
    details: SessionDetails,
    *,
    public_id: str,
    series: str,
    society: str,
    state: str,
    emails: Mapping[int, str],
) -> dict[str, str]:
    """Each column's text; `emails` are those of the accounts of the faculty, by user id."""
    return {
        "id": public_id,
        "series": series,
        "society": society,
        "date": f"{details.starts:%Y-%m-%d}",
        "start": f"{details.starts:%H:%M}",
        "minutes": str((details.ends - details.starts) // MINUTE),
        "zone": details.zone,
        "title": details.title,
        "abstract": _lines(details.abstract),
        "objectives": _lines(details.objectives),
        "topics": "; ".join(details.topics),
        "language": details.language,
        "level": details.level,
        "audience": "; ".join(details.audience),
        "faculty": "; ".join(person_text(member, emails) for member in details.faculty),
        "state": state,
    }


def person_text(member: FacultyDetails, emails: Mapping[int, str]) -> str:
    """A member of the faculty as the cell names them."""
    email = emails.get(member.user_id, "") if member.user_id else ""
    return str(Person(member.part, member.name, member.affiliation, email))


def row_of(cells: Mapping[str, str]) -> list[str]:
    """The cells in the order of the exported columns."""
    return [cells[name] for name in EXPORTED]


def _lines(text: str) -> str:
    return text.replace("\r\n", "\n").replace("\r", "\n").strip()
