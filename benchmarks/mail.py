"""Reminders a second, over the bare SMTP client that sends the same bytes to the same mail server.

Ours are rows first: claimed, decided from what is true now, put into words, handed over and written
down as sent. The client only sends. Both over one connection; then ten thousand over four.
"""

import smtplib
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import TypeVar

from sqlalchemy import func, insert, select, update

from benchmarks._mail_sink import mail_sink
from benchmarks._servers import migrated
from config import Config
from tests import sending
from tests.builders import NOW, STARTS_AT, make_session
from tests.components.postgres import PostgresServer
from webinar.db import connect, open_db
from webinar.domain.letter import Letter, MailKind
from webinar.jobs.engine import BATCH
from webinar.jobs.mail import send_batch
from webinar.jobs.toolbox import Toolbox
from webinar.models import Delivery, Registration, User
from webinar.services import deliveries

T = TypeVar("T")
SECRET = "a secret of the benchmarks, long enough"
MAILS = 1_000
ROUNDS = 3
FAN_OUT = 10_000
THREADS = 4
REMINDED_AT = STARTS_AT - timedelta(minutes=55)
TARGET = 0.8


@dataclass
class Rates:
    """Mails a second, one figure a round."""

    bare: list[float] = field(default_factory=list)
    ours: list[float] = field(default_factory=list)

    def line(self, name: str) -> str:
        """A row of the table; the ratio is taken within each round."""
        ratios = [own / floor for own, floor in zip(self.ours, self.bare, strict=True)]
        return (
            f"| {name} | **{statistics.median(ratios):.2f}** ({min(ratios):.2f} to "
            f"{max(ratios):.2f}) | {statistics.median(self.ours):,.0f} "
            f"| {statistics.median(self.bare):,.0f} |\n"
        )


def main() -> int:
    lines = []
    with ExitStack() as stack:
        port = stack.enter_context(mail_sink())
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        server = stack.enter_context(PostgresServer(durable=True))
        for name, url in (
            ("SQLite", f"sqlite:///{folder / 'mail.sqlite3'}"),
            ("PostgreSQL", server.create_database()),
        ):
            config = Config(
                SECRET_KEY=SECRET,
                DATABASE_URL=url,
                DATA_DIR=folder / name,
                PUBLIC_URL="https://webinar.example",
                SMTP_URL=f"smtp://127.0.0.1:{port}",
            )
            config.DATA_DIR.mkdir()
            migrated(config)
            engine = connect(url)
            lines += _measured(name, Toolbox.from_config(config), port)
            engine.dispose()
    sys.stdout.write(
        "| what | over smtplib, median (lowest to highest) | mails/s | smtplib, mails/s |\n"
        "| --- | --- | --- | --- |\n"
        f"{''.join(lines)}\n"
        f"{ROUNDS} rounds of {MAILS:,} reminders over one connection, in batches of {BATCH}; once "
        f"{FAN_OUT:,} over {THREADS} connections. The databases write as in production. "
        f"Target: {TARGET} over one connection.\n"
    )
    return 0


def _measured(name: str, tools: Toolbox, port: int) -> list[str]:
    owed = _owe(FAN_OUT)
    ready = _ready(tools, owed[:BATCH])
    one, many = Rates(), Rates()
    _sent(tools, owed[:BATCH], 1)  # warm
    for number in range(ROUNDS):
        some = owed[number * MAILS : (number + 1) * MAILS]
        _owe_again(some)
        one.bare.append(_bare(port, ready, MAILS, 1))
        one.ours.append(_sent(tools, some, 1))
    _owe_again(owed)
    many.bare.append(_bare(port, ready, FAN_OUT, THREADS))
    many.ours.append(_sent(tools, owed, THREADS))
    return [
        one.line(f"{name}, one connection"),
        many.line(f"{name}, {FAN_OUT:,} reminders, {THREADS} connections"),
    ]


def _owe(people: int) -> list[int]:
    with open_db.begin() as db:
        session = make_session(db)
        db.execute(
            insert(User),
            [
                {
                    "email": f"person{number}@example.net",
                    "name": f"Dr Anna Keller {number}",
                    "country": "CH",
                    "profession": "physician",
                    "zone": ("Europe/Zurich", "Europe/Athens", "America/New_York")[number % 3],
                    "verified_at": NOW,
                    "created_at": NOW,
                }
                for number in range(people)
            ],
        )
        readers = db.scalars(select(User.id).where(User.email.like("person%@example.net"))).all()
        db.execute(
            insert(Registration),
            [
                {"session_id": session.id, "user_id": one, "source": "web", "created_at": NOW}
                for one in readers
            ],
        )
        db.execute(
            insert(Delivery),
            [
                {
                    "kind": MailKind.SESSION_REMINDER.value,
                    "user_id": one,
                    "subject_id": session.id,
                    "created_at": NOW,
                    "due_at": STARTS_AT - timedelta(hours=1),
                }
                for one in readers
            ],
        )
        return list(db.scalars(select(Delivery.id).order_by(Delivery.id)))


def _owe_again(owed: Iterable[int]) -> None:
    wanted = list(owed)
    with open_db.begin() as db:
        db.execute(
            update(Delivery)
            .where(Delivery.id.between(min(wanted), max(wanted)))
            .values(due_at=STARTS_AT - timedelta(hours=1), sent_at=None, attempts=0)
        )


def _ready(tools: Toolbox, owed: list[int]) -> list[tuple[str, str, bytes]]:
    """Envelope and bytes, as ours would be."""
    with open_db() as db:
        made = [
            sending.letter_for(db, delivery, now=REMINDED_AT)
            for delivery in deliveries.with_readers(db, owed)
        ]
    mails = [
        tools.composer.compose(letter, now=REMINDED_AT)
        for letter in made
        if isinstance(letter, Letter)
    ]
    return [(mail.sender, mail.recipient, mail.content) for mail in mails]


def _bare(port: int, ready: list[tuple[str, str, bytes]], mails: int, threads: int) -> float:
    """Mails a second of the standard library's client."""

    def send(count: int) -> None:
        with smtplib.SMTP("127.0.0.1", port) as client:
            for number in range(count):
                sender, recipient, content = ready[number % len(ready)]
                client.sendmail(sender, [recipient], content)

    return mails / _seconds(send, [mails // threads] * threads, threads)


def _sent(tools: Toolbox, owed: list[int], threads: int) -> float:
    """Mails a second of ours; every one of them is written down as sent."""
    batches = [owed[start : start + BATCH] for start in range(0, len(owed), BATCH)]

    def send(batch: list[int]) -> None:
        sent = send_batch(tools, batch, now=REMINDED_AT)
        assert sent == len(batch), f"{sent} of {len(batch)}"

    seconds = _seconds(send, batches, threads)
    with open_db() as db:
        unsent = select(func.count()).where(
            Delivery.id.between(min(owed), max(owed)), Delivery.sent_at.is_(None)
        )
        assert db.scalar(unsent) == 0
    return len(owed) / seconds


def _seconds(send: Callable[[T], None], work: list[T], threads: int) -> float:
    began = time.perf_counter()
    if threads == 1:
        for one in work:
            send(one)
    else:
        with ThreadPoolExecutor(threads) as pool:
            list(pool.map(send, work))
    return time.perf_counter() - began


if __name__ == "__main__":
    sys.exit(main())
