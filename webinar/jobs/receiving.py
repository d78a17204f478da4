"""One receiver for each way in: a process of its own that turns what OBS sends into a take.

The clock sees to it that every way in that is open has one. Before the session is live, what
comes in is looked at and forgotten: the studio shows that it comes, nobody else sees it.
"""

import logging
import secrets
import time
from datetime import UTC, datetime

from config import Config
from webinar.db import open_db, read_db
from webinar.domain.streaming import PACKET_BYTES, Source
from webinar.jobs import workers
from webinar.jobs.toolbox import Toolbox
from webinar.media.receiver import Receiver, srt_listener
from webinar.media.takes import StorageFull
from webinar.models import Broadcast, StreamKey
from webinar.services import leases, stream_keys
from webinar.tools import media_shelf

log = logging.getLogger(__name__)

PIECE_SECONDS = 0.5
LOOK_SECONDS = 2.0
READ_SECONDS = 0.25
# After an ffmpeg that ended at once, before the next is tried.
REST_SECONDS = 1.0
# On a full disk this much is kept until there is room again.
MOST_WAITING_BYTES = 64 * 1024 * 1024 // PACKET_BYTES * PACKET_BYTES
FULL = "The server's disk is full. What comes in is kept for a while, until there is room."

_workers = workers.Workers("receive", start_seconds=10.0)


def supervise(tools: Toolbox, now: datetime) -> None:
    """Start a receiver for every open way in that has none."""
    with read_db() as db:
        waiting = stream_keys.without_receiver(db, now=now)
    _workers.start(tools.config, waiting)


def receive(config: Config, key_id: int) -> bool:
    """Listen until this way in closes; False if another process does. Raises LeaseLost."""
    owner = workers.own_name()
    with open_db.begin() as db:
        fence = leases.claim(db, StreamKey, key_id, owner=owner, now=datetime.now(UTC))
    if fence is None:
        return False
    try:
        _Receiving(config, key_id, fence).run()
    finally:
        with open_db.begin() as db:
            key = db.get_one(StreamKey, key_id, with_for_update=True)
            # Another receiver may have taken over: what it says of the sender stays.
            if key.lease_fence == fence:
                stream_keys.disconnected(key)
                leases.release(db, StreamKey, key_id, fence=fence)
    return True


class _Receiving:
    """One sender after the other, until the way in is closed."""

    def __init__(self, config: Config, key_id: int, fence: int) -> None:
        self.key_id = key_id
        self.fence = fence
        self.takes = media_shelf(config).takes
        with read_db() as db:
            key = db.get_one(StreamKey, key_id)
        self.is_called = key.source is Source.SRT  # else we fetch, while somebody sends
        self.address = (
            srt_listener(key.port or 0, stream_keys.passphrase(key.nonce, config.SECRET_KEY))
            if self.is_called
            else f"{config.RTMP_PULL_URL}/{key.name}"
        )
        self.looked_at = 0.0
        self.is_open = True
        self.is_full = False
        self.bytes_lately = 0

    def run(self) -> None:
        while self._look(problem=None):
            began = time.monotonic()
            with Receiver(self.address) as receiver:
                self._follow(receiver)
            if time.monotonic() - began < REST_SECONDS:
                time.sleep(REST_SECONDS)
            if not (self.is_called or self._is_still_sent()):
                return

    def _follow(self, receiver: Receiver) -> None:
        """What one sender sends, in pieces, until they leave or the way in is closed."""
        connection = secrets.token_hex(6)
        waiting = b""
        kept_at = time.monotonic()
        while self._look(problem=receiver.problem):
            packets = receiver.read(timeout_seconds=READ_SECONDS)
            if packets is None:
                break
            self.bytes_lately += len(packets)
            waiting = (waiting + packets)[-MOST_WAITING_BYTES:]
            if waiting and time.monotonic() - kept_at >= PIECE_SECONDS:
                kept_at = time.monotonic()
                if self._keep(waiting, connection):
                    waiting = b""
        if waiting:
            self._keep(waiting, connection)
        # Else the next look would take who just left for a sender.
        self.bytes_lately = 0
        if self.is_called:
            with open_db.begin() as db:
                stream_keys.disconnected(db.get_one(StreamKey, self.key_id))

    def _keep(self, packets: bytes, connection: str) -> bool:
        """Put the packets into the take, if they are anybody's to see; False on a full disk."""
        now = datetime.now(UTC)
        with open_db.begin() as db:
            # One that was stopped for a while must not mix its bytes into those of the next.
            leases.renew(db, StreamKey, self.key_id, fence=self.fence, now=now)
            key = db.get_one(StreamKey, self.key_id)
            take = stream_keys.take_for(
                db, key, connection=connection, is_empty=self._is_empty, now=now
            )
            if take is None:
                return True
            take.last_chunk_at = now
            broadcast_id = db.get_one(Broadcast, take.broadcast_id).public_id
        try:
            seq = self.takes.next_seq(broadcast_id, take.number)
            self.takes.append(broadcast_id, take.number, seq, packets)
        except StorageFull:
            self.is_full = True
            return False
        self.is_full = False
        return True

    def _is_empty(self, broadcast_id: str, take: int) -> bool:
        return self.takes.next_seq(broadcast_id, take) == 0

    def _look(self, *, problem: str | None) -> bool:
        """Every two seconds: keep the lease, note what comes in; False once the way is closed."""
        passed = time.monotonic() - self.looked_at
        if passed < LOOK_SECONDS:
            return self.is_open
        self.looked_at = time.monotonic()
        now = datetime.now(UTC)
        with open_db.begin() as db:
            leases.renew(db, StreamKey, self.key_id, fence=self.fence, now=now)
            self.is_open = stream_keys.is_open(db, self.key_id, now=now)
            key = db.get_one(StreamKey, self.key_id, populate_existing=True)
            if self.bytes_lately:
                key.connected_at = key.connected_at or now
                key.last_seen_at = now
                key.kilobits = round(self.bytes_lately * 8 / 1000 / passed)
            key.problem = FULL if self.is_full else problem
        self.bytes_lately = 0
        return self.is_open

    def _is_still_sent(self) -> bool:
        with read_db() as db:
            key = db.get_one(StreamKey, self.key_id)
            return stream_keys.is_connected(key, now=datetime.now(UTC))
