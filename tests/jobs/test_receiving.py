"""OBS sends by SRT or RTMP (ffmpeg sends as it would): who may, and where it ends up."""

import re
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from threading import Thread

import pytest
from werkzeug.serving import make_server

from config import Config
from tests.builders import make_faculty, make_moderated, make_session, make_user
from tests.components.nginx import NginxServer
from tests.components.servers import free_port
from tests.patience import PATIENCE_SECONDS, wait_for
from webinar.app import create_app
from webinar.db import DbSession, open_db, read_db
from webinar.domain.streaming import Source
from webinar.jobs import receiving
from webinar.media.ffmpeg import find_ffmpeg, run
from webinar.models import Broadcast, BroadcastTake, StreamKey, WebinarSession
from webinar.services import broadcasts, stream_keys
from webinar.tools import media_shelf

# The way of a packet knows no database: one kind is enough.
pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)

RTMP_CONFIG = Path(__file__).resolve().parents[2] / "deploy" / "nginx-rtmp.conf"


def obs(address: str, container: str, *, seconds: float) -> "subprocess.Popen[bytes]":
    """A sender such as OBS: H.264 with a keyframe a second, AAC, in real time."""
    picture = ["-re", "-f", "lavfi", "-i", "testsrc2=s=320x180:r=25"]
    sound = ["-f", "lavfi", "-i", "sine=f=330:r=48000"]
    kinds = ["-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p", "-g", "25"]
    return subprocess.Popen(
        [
            *(find_ffmpeg(), "-hide_banner", "-loglevel", "error", *picture, *sound),
            *("-t", str(seconds), *kinds, "-c:a", "aac", "-f", container, address),
        ],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )


def frames(path: Path) -> int:
    said = run(
        ["-i", str(path), "-map", "0:v:0", "-f", "null", "-progress", "pipe:1", "-"],
        timeout_seconds=60,
    )
    return int(re.findall(rb"frame=(\d+)", said)[-1])


@dataclass
class Desk:
    """A session that is live, and the way in that was made for it."""

    session: WebinarSession
    broadcast: Broadcast
    made: stream_keys.NewKey
    config: Config

    @property
    def key_id(self) -> int:
        return self.made.key.id

    def key(self) -> StreamKey:
        with read_db() as db:
            return db.get_one(StreamKey, self.key_id)

    def takes(self) -> list[BroadcastTake]:
        with read_db() as db:
            return list(db.get_one(Broadcast, self.broadcast.id).takes)

    def take_path(self, number: int) -> Path:
        return media_shelf(self.config).takes.path(self.broadcast.public_id, number)


def desk(db: DbSession, config: Config, source: Source, port: int = 0) -> Desk:
    now = datetime.now(UTC)
    session, user = make_moderated(db, make_session(db, starts_at=now)), make_user(db)
    make_faculty(db, session, user=user)
    broadcast = broadcasts.go_live(db, session.id, user_id=user.id, now=now)
    made = stream_keys.make(
        db,
        session.id,
        source,
        ports=[port],
        wrapping_secret=config.SECRET_KEY,
        user_id=user.id,
        now=now,
    )
    db.commit()
    return Desk(session, broadcast, made, config)


def end(desk: Desk, receiver: Thread) -> None:
    with open_db.begin() as db:
        stream_keys.revoke(
            db,
            desk.key_id,
            desk.session.id,
            user_id=desk.made.key.made_by_id,
            now=datetime.now(UTC),
        )
    receiver.join(PATIENCE_SECONDS)
    assert not receiver.is_alive()


def test_srt_takes_the_right_passphrase_only_and_goes_on_listening(
    db: DbSession, config: Config
) -> None:
    port = free_port()
    here = desk(db, config, Source.SRT, port)
    receiver = Thread(target=receiving.receive, args=(config, here.key_id))
    receiver.start()
    address = f"srt://127.0.0.1:{port}?mode=caller&connect_timeout=2000"
    wait_for(lambda: here.key().lease_owner is not None)
    time.sleep(1)

    wrong = obs(f"{address}&passphrase=not-the-one-it-waits-for", "mpegts", seconds=5).wait()
    absent = obs(address, "mpegts", seconds=5).wait()
    wait_for(lambda: here.key().problem is not None)
    refused = (wrong != 0, absent != 0, here.takes())
    right = f"{address}&passphrase={here.made.secret}"
    first = obs(right, "mpegts", seconds=8)
    wait_for(lambda: here.key().kilobits is not None)
    seen_in_processes = here.made.secret in " ".join(_commands(but=first.pid))
    assert first.wait() == 0
    wait_for(lambda: here.key().connected_at is None)
    left = here.key()
    wait_for(lambda: here.key().lease_until != left.lease_until)
    seen_again = here.key().connected_at
    assert obs(right, "mpegts", seconds=3).wait() == 0
    wait_for(lambda: len(here.takes()) == 2)
    end(here, receiver)

    assert refused == (True, True, [])
    assert not seen_in_processes
    # Who left is not taken for a sender again when it is looked at next.
    assert seen_again is None
    assert [take.source for take in here.takes()] == [Source.SRT, Source.SRT]
    assert 160 <= frames(here.take_path(0)) <= 200
    assert 40 <= frames(here.take_path(1)) <= 75


@pytest.fixture
def front(config: Config) -> Iterator[tuple[NginxServer, int]]:
    """The program behind its real RTMP server, and the port of RTMP."""
    app_port, rtmp_port = free_port(), free_port()
    app = create_app(config)
    server = make_server("127.0.0.1", app_port, app, threaded=True)
    Thread(target=server.serve_forever, daemon=True).start()
    text = RTMP_CONFIG.read_text().replace("listen 1935;", f"listen 127.0.0.1:{rtmp_port};")
    text = text.replace("127.0.0.1:8000", f"127.0.0.1:{app_port}").replace("5s;", "1s;")
    with NginxServer(rtmp_port, main=text, modules=("rtmp",), error_level="warn") as nginx:
        yield nginx, rtmp_port
    server.shutdown()
    server.server_close()
    app.extensions["engine"].dispose()


def test_rtmp_takes_the_right_key_until_it_is_revoked_and_shows_it_nowhere(
    db: DbSession, tmp_path: Path, front: tuple[NginxServer, int], config: Config
) -> None:
    nginx, port = front
    here = desk(db, config, Source.RTMP)
    address = f"rtmp://127.0.0.1:{port}/ingest/{here.made.key.name}"
    pulled = replace(config, RTMP_PULL_URL=f"rtmp://127.0.0.1:{port}/ingest")

    wrong = obs(f"{address}?token=not-the-one", "flv", seconds=5).wait()
    absent = obs(address, "flv", seconds=5).wait()
    right = f"{address}?token={here.made.secret}"
    # Longer than all that is waited for: only being cut off ends it.
    sender = obs(right, "flv", seconds=600)
    try:
        wait_for(lambda: here.key().connected_at is not None)
        second = obs(right, "flv", seconds=5).wait()
        receiver = Thread(target=receiving.receive, args=(pulled, here.key_id))
        receiver.start()
        wait_for(lambda: here.take_path(0).exists() and here.take_path(0).stat().st_size > 120_000)
        end(here, receiver)
        cut_off = sender.wait(PATIENCE_SECONDS)
    finally:
        sender.kill()
        sender.wait()
    again = obs(right, "flv", seconds=5).wait()

    assert [code != 0 for code in (wrong, absent, second, cut_off, again)] == [True] * 5
    assert frames(here.take_path(0)) > 25
    logs = nginx.access_log.read_text() if nginx.access_log.exists() else ""
    logs += nginx.error_log.read_text()
    kept = [path.name for path in config.DATA_DIR.rglob("*")]
    assert here.made.secret not in logs + " ".join(kept)


def _commands(*, but: int) -> list[str]:
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        if int(folder.name) == but:
            continue
        try:
            found.append((folder / "cmdline").read_bytes().decode(errors="replace"))
        except OSError:
            continue
    return found
