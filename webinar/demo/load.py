"""Load the demonstration, or find it loaded; either way make sure that something is live."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy import select

from config import Config
from webinar.db import DbSession, open_db
from webinar.demo.attending import visits, watching
from webinar.demo.desk import at_the_desk
from webinar.demo.guests import speakers_page
from webinar.demo.lectures import packaged
from webinar.demo.live import OPEN_ROUND, open_round, rehearsal
from webinar.demo.papers import papers, tested
from webinar.demo.people import (
    ADMINISTRATOR,
    FACULTY,
    OFFICER,
    ORGANISER,
    PARTICIPANT,
    Part,
    fresh_sign_in,
)
from webinar.demo.programme import programme
from webinar.demo.season import (
    QUICK,
    WHOLE,
    calendar_around,
    perform,
    play,
    wanted_recordings,
)
from webinar.domain.attendance import ViewingMode
from webinar.domain.errors import Conflict
from webinar.domain.recording import RecordingState
from webinar.models import (
    AccreditationGrant,
    Recording,
    Society,
    TestAttempt,
    User,
    WebinarSession,
)
from webinar.services.series import listed as all_series
from webinar.tools import calendar_tool, media_shelf

Say = Callable[[str], None]


class NotEmpty(Conflict):
    """Real content and invented content must not share a database."""


@dataclass(frozen=True)
class SignIn:
    """A one-time link for one of the people to try, and what they see first."""

    title: str
    name: str
    url: str


@dataclass(frozen=True)
class Address:
    """A page worth opening."""

    title: str
    url: str


@dataclass(frozen=True)
class Loaded:
    """What to print at the end."""

    sign_ins: tuple[SignIn, ...]
    addresses: tuple[Address, ...]


def load(config: Config, *, quick: bool, say: Say) -> Loaded:
    """Load once, make sure something is live, give fresh sign-ins; raises NotEmpty."""
    with open_db() as db:
        is_loaded = _is_loaded(db)
    if is_loaded:
        say("The demonstration season is here already.")
    else:
        _load_season(config, quick=quick, say=say)
    calendar = calendar_tool(config)
    with open_db.begin() as db:
        now = datetime.now(UTC)
        live = open_round(db, calendar=calendar, now=now)
        studio = rehearsal(db, calendar=calendar, now=now)
        return Loaded(
            sign_ins=_sign_ins(db, config.PUBLIC_URL, studio, now=now),
            addresses=_addresses(db, config.PUBLIC_URL, live, now=now),
        )


def _is_loaded(db: DbSession) -> bool:
    if db.scalar(select(User.id).where(User.email == ADMINISTRATOR.email)) is not None:
        return True
    for table in (User, Society, WebinarSession):
        if db.scalar(select(table.id).limit(1)) is not None:
            raise NotEmpty(
                "This database has content of its own, so the demonstration is not loaded into "
                "it. Use an empty database, or start with WEBINAR_DEMO=0."
            )
    return False


def _load_season(config: Config, *, quick: bool, say: Say) -> None:
    now = datetime.now(UTC)
    scale = QUICK if quick else WHOLE
    plan = programme()
    days = calendar_around(plan, scale, now=now)
    shelf = media_shelf(config)
    wanted = wanted_recordings(days, plan, scale)
    say(f"1/3 Making lectures for {len(wanted)} recordings")
    with packaged(shelf, wanted, seconds=scale.lecture_seconds, say=say) as reels:
        say("2/3 Planning and playing the season")
        # All or nothing: an interrupted load leaves an empty database.
        with open_db.begin() as db:
            season = play(db, days, plan, scale, reels, tool=calendar_tool(config), now=now)
            stage, past = season.stage, season.past
            came = [visits(stage, evening, number) for number, evening in enumerate(past)]
            acts = at_the_desk(stage, past, came)
            for number, evening in enumerate(past):
                acts.extend(watching(stage, evening, came[number]))
                acts.extend(papers(stage, evening, number, came[number]))
            acts.extend(tested(stage, past, reels))
            perform(db, season, acts, now=now)
    say("3/3 Putting a session on air")


def _sign_ins(
    db: DbSession, public_url: str, studio: WebinarSession, *, now: datetime
) -> tuple[SignIn, ...]:
    first_pages: tuple[tuple[Part, str], ...] = (
        (PARTICIPANT, "/my/"),
        (FACULTY, f"/studio/{studio.public_id}"),
        (ORGANISER, "/manage/"),
        (OFFICER, "/manage/credit/"),
        (ADMINISTRATOR, "/manage/"),
    )
    return tuple(
        SignIn(
            part.title,
            part.name,
            f"{public_url}/sign-in/{fresh_sign_in(db, part, next_path=page, now=now)}",
        )
        for part, page in first_pages
    )


def _addresses(
    db: DbSession, public_url: str, live: WebinarSession, *, now: datetime
) -> tuple[Address, ...]:
    recorded = (
        select(WebinarSession.public_id)
        .join(Recording, Recording.session_id == WebinarSession.id)
        .where(WebinarSession.is_demo, WebinarSession.title != OPEN_ROUND.title)
        .order_by(WebinarSession.starts_at.desc())
        .limit(1)
    )
    is_open = (Recording.state == RecordingState.PUBLISHED) & (Recording.closes_at > now)
    # Something is left to do there: credit for watching, and a test that nobody has taken.
    earns = select(AccreditationGrant.id).where(
        AccreditationGrant.session_id == WebinarSession.id,
        AccreditationGrant.mode == ViewingMode.RECORDED,
    )
    tried = select(TestAttempt.id).where(TestAttempt.session_id == WebinarSession.id)
    watchable = db.scalar(recorded.where(is_open))
    earning = db.scalar(recorded.where(is_open, earns.exists(), ~tried.exists()))
    closed = db.scalar(recorded.where(Recording.closes_at <= now))
    feeds = ["/calendar/all.ics", *(f"/calendar/series/{one.slug}.ics" for one in all_series(db))]
    speaker = speakers_page(db, now=now)
    pages = [
        ("Home", "/"),
        ("Schedule", "/sessions/"),
        ("Live now", f"/sessions/{live.public_id}/live"),
        ("Its questions, for the moderator", f"/studio/{live.public_id}"),
        *([("A recording", f"/sessions/{watchable}/recording")] if watchable else []),
        *([("A recording with credit", f"/sessions/{earning}/recording")] if earning else []),
        *([("A closed recording", f"/sessions/{closed}/recording")] if closed else []),
        *(("Calendar feed", feed) for feed in feeds),
        *([("A speaker's own page", f"/faculty/{speaker}")] if speaker else []),
        ("Organiser's pages", "/manage/"),
        ("Accreditation officer's desk", "/manage/credit/"),
        ("Doors for auditors", "/manage/credit/doors/"),
    ]
    return tuple(Address(title, public_url + path) for title, path in pages)
