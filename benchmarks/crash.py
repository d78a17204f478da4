"""A thousand reminders while everything is killed, for longer than a test may take.

    python -m benchmarks.crash [--rounds 6] [--reminders 1000] [--seed 1] [--only cluster|laptop]

Prints for each engine what was owed, lost and doubled, which doubles no kill explains, and how late
mails were. Ends with 1 if any was lost, if a double is unexplained, or if over 0.5 % were doubled.
"""

import argparse
import shutil
import sys
import tempfile
from dataclasses import replace
from pathlib import Path

from config import Config
from tests.components.postgres import PostgresServer
from tests.components.servers import free_port
from tests.conftest import SECRET, migrate
from tests.crash import evening
from tests.crash.processes import Begin, Crew, run_laptop
from tests.crash.reckoning import Reckoning, reckon
from tests.crash.sink import WatchfulSink
from tests.crash.test_crash import CLUSTER
from webinar.app import create_app

MOST_DOUBLED = 0.005
SECONDS_A_ROUND = 6.0


def main() -> int:
    """Both engines, one after the other."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=6, help="kills of each process")
    parser.add_argument("--reminders", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", choices=("cluster", "laptop"))
    wanted = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="webinar-crash-"))
    went_well = True
    try:
        if wanted.only != "laptop":
            with PostgresServer() as server:
                config = _config(folder / "cluster", server.create_database())
                cluster = replace(config, ENGINE="procrastinate")
                went_well &= _measure("cluster on PostgreSQL", cluster, CLUSTER, wanted)
        if wanted.only != "cluster":
            url = f"sqlite:///{folder / 'laptop' / 'webinar.sqlite3'}"
            laptop = _config(folder / "laptop", url)
            went_well &= _measure("laptop on SQLite", laptop, {"laptop": run_laptop}, wanted)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    return 0 if went_well else 1


def _config(folder: Path, url: str) -> Config:
    folder.mkdir(parents=True)
    migrate(url, folder)
    return Config(SECRET_KEY=SECRET, DATABASE_URL=url, DATA_DIR=folder, DEVELOPMENT=True)


def _measure(
    name: str, config: Config, roles: dict[str, Begin], wanted: argparse.Namespace
) -> bool:
    app = create_app(config)
    with WatchfulSink() as sink:
        crew = Crew(replace(config, SMTP_URL=sink.url), free_port(), roles)
        plan = evening.prepare(
            app,
            reminders=wanted.reminders,
            visitors=20 * wanted.rounds,
            seconds=SECONDS_A_ROUND * wanted.rounds,
        )
        try:
            evening.run(
                crew, plan, sink, rounds=wanted.rounds, pause=SECONDS_A_ROUND / 10, seed=wanted.seed
            )
        finally:
            crew.stop()
        found = reckon(plan.due, sink.accepted, crew.kills)
    unconfirmed = set(evening.registered(plan)) ^ set(evening.confirmed(plan))
    app.extensions["engine"].dispose()
    sys.stdout.write(
        f"{name}: {len(crew.kills) - len(roles)} kills; {found.words}; "
        f"places without their mail {len(unconfirmed)}\n"
    )
    return _is_good(found) and not unconfirmed


def _is_good(found: Reckoning) -> bool:
    return (
        not found.lost and not found.unexplained and len(found.doubled) <= MOST_DOUBLED * found.owed
    )


if __name__ == "__main__":
    sys.exit(main())
