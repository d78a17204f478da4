"""Pages a second over hello-world: the season of 500, the schedule, and search over 10,000."""

import sys
import tempfile
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from random import Random

from flask.sessions import SecureCookieSessionInterface

from benchmarks._load import CONNECTIONS, HEADING, Measured, Same, Talk, ask_until, get, measure
from benchmarks._servers import migrated, serving
from config import Config
from tests.builders import make_series, make_topic, make_user
from tests.components.postgres import PostgresServer
from webinar.app import create_app
from webinar.db import DbSession, open_db
from webinar.domain.access import Role
from webinar.domain.session import FacultyPart, SessionStatus
from webinar.models import FacultyMember, WebinarSession

ROUNDS = 3
WARM_UP_SECONDS = 1.0
SEASON, ARCHIVE = 500, 10_000
SECRET = "a secret of the benchmarks, long enough"
# A vocabulary as large as that of real abstracts: a word stands in a few of a hundred.
FIRST = [
    "neo",
    "adeno",
    "angio",
    "carcino",
    "cyto",
    "endo",
    "fibro",
    "gastro",
    "hepato",
    "immuno",
    "lympho",
    "mela",
    "myelo",
]
LAST = [
    "adjuvant",
    "blastic",
    "cellular",
    "dermal",
    "ectomy",
    "genic",
    "graphic",
    "logic",
    "metric",
    "plasty",
    "static",
]
WORDS = [f"{first}{middle}{last}" for first in FIRST for middle in "aeiou" for last in LAST]


@dataclass
class Fresh:
    """The same page at an address never asked for before: nothing kept answers it."""

    path: str
    connection: str
    number: int = 0

    def request(self) -> bytes:
        self.number += 1
        mark = "&" if "?" in self.path else "?"
        return get(f"{self.path}{mark}fresh={self.connection}-{self.number}")

    def answered(self, head: bytes, body: bytes) -> None:
        if not head.startswith(b"HTTP/1.1 200"):
            raise RuntimeError(head[:200] + body[:200])


def ask_same(data: bytes, port: int, _part: int, seconds: float) -> int:
    talks: list[Talk] = [Same(data, b"200") for _ in range(CONNECTIONS // 2)]
    return ask_until(port, talks, seconds)


def ask_fresh(path: str, name: str, port: int, part: int, seconds: float) -> int:
    talks: list[Talk] = [Fresh(path, f"{name}-{part}-{n}") for n in range(CONNECTIONS // 2)]
    return ask_until(port, talks, seconds)


def prepare(config: Config, number: int) -> str:
    """So many sessions around today, three a day; returns the cookie of an organiser."""
    migrated(config)
    app = create_app(config)
    with open_db() as db:
        add_sessions(db, number)
        user = make_user(db, "organiser@example.net", roles=(Role.ORGANISER,))
        db.commit()
        signer = SecureCookieSessionInterface().get_signing_serializer(app)
        assert signer is not None
        cookie = signer.dumps({"_user_id": user.get_id(), "_fresh": True})
    app.extensions["engine"].dispose()
    return f"Cookie: {app.config['SESSION_COOKIE_NAME']}={cookie}"


def add_sessions(db: DbSession, number: int) -> None:
    random, now = Random(7), datetime.now(UTC)  # noqa: S311 - the same words in every run
    series, topics = make_series(db), [make_topic(db) for _ in range(5)]
    for index in range(number):
        starts_at = now + timedelta(hours=8 * (index - number // 2))
        db.add(
            WebinarSession(
                public_id=f"b{index:07d}",
                series=series,
                society=series.society,
                title=" ".join(random.sample(WORDS, 4)).capitalize(),
                abstract=" ".join(random.choices(WORDS, k=60)),
                starts_at=starts_at,
                ends_at=starts_at + timedelta(minutes=45),
                zone="Europe/Zurich",
                status=SessionStatus.PUBLISHED if starts_at > now else SessionStatus.ENDED,
                ical_uid=f"bench-{index}@webinar.example",
                ical_changed_at=now,
                created_at=now,
                topics=[topics[index % 5]],
                faculty=[
                    FacultyMember(part=FacultyPart.PRESENTER, name=f"Dr {random.choice(WORDS)}"),
                    FacultyMember(part=FacultyPart.MODERATOR, name="Dr Jan Novak"),
                ],
            )
        )
        if index % 1000 == 999:
            db.flush()
    db.flush()


def main() -> int:
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        postgres = stack.enter_context(PostgresServer(durable=True))
        hello = Measured("hello-world")
        hello_server = stack.enter_context(serving("benchmarks._hello:app", {}))
        runs = []
        for kind in ("SQLite", "PostgreSQL"):
            servers = {}
            for number in (SEASON, ARCHIVE):
                url = (
                    f"sqlite:///{folder / f'{number}.sqlite3'}"
                    if kind == "SQLite"
                    else postgres.create_database()
                )
                data = folder / f"{kind}-{number}"
                config = Config(SECRET_KEY=SECRET, DATABASE_URL=url, DATA_DIR=data)
                cookie = prepare(config, number)
                servers[number] = stack.enter_context(serving("wsgi:app", config.to_env())), cookie
            season, cookie = servers[SEASON]
            archive, _ = servers[ARCHIVE]
            schedule, found = "/sessions/", f"/sessions/?q={WORDS[100]}+{WORDS[200]}"
            for name, server, ask in (
                ("schedule, warm", season, partial(ask_same, get(schedule))),
                ("schedule, cold", season, partial(ask_fresh, schedule, kind)),
                (f"search over {ARCHIVE:,} sessions, warm", archive, partial(ask_same, get(found))),
                (
                    f"search over {ARCHIVE:,} sessions, cold",
                    archive,
                    partial(ask_fresh, found, kind),
                ),
                (
                    f"organiser's list of {SEASON} sessions",
                    season,
                    partial(ask_same, get("/manage/sessions/?when=all", cookie)),
                ),
                (
                    f"organiser's first page, {SEASON} sessions",
                    season,
                    partial(ask_same, get("/manage/?view=season", cookie)),
                ),
            ):
                runs.append((Measured(f"{name}, {kind}"), server, ask))
        for _, server, ask in runs:
            ask(server.port, 0, WARM_UP_SECONDS)  # each worker reads its templates once
        for _ in range(ROUNDS):
            measure(hello, hello_server, partial(ask_same, get("/")))
            for measured, server, ask in runs:
                measure(measured, server, ask)
    sys.stdout.write("\n".join([HEADING, hello.line(hello)]) + "\n")
    sys.stdout.write("\n".join(measured.line(hello) for measured, *_ in runs) + "\n\n")
    sys.stdout.write(
        "Signed out but for the organiser's pages. Warm: the page of this minute is kept. "
        "Cold: every address is asked for once.\n"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
