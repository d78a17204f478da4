"""A real mail server that keeps of every mail when it said yes, and to which process."""

import asyncio
import re
import threading
import time
from dataclasses import dataclass
from typing import Self

import psutil
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session

from tests.components.servers import free_port

THOUGHT_SECONDS = 0.005
MESSAGE_ID = re.compile(rb"^Message-ID:\s*<([^>]+)>", re.M | re.I)


@dataclass(frozen=True)
class Accepted:
    """One mail, at the moment before the server's "250"."""

    message_id: str
    recipient: str
    at: float  # seconds since 1970
    pid: int  # of the process that handed it over


class WatchfulSink:
    """`with WatchfulSink() as sink:`; every mail takes a moment's thought."""

    def __init__(self) -> None:
        self._guard = threading.Condition()
        self._accepted: list[Accepted] = []
        self._pids: dict[int, int] = {}  # by the port they come from

    def __enter__(self) -> Self:
        self.port = free_port()
        self._controller = Controller(self, hostname="127.0.0.1", port=self.port, ready_timeout=60)
        self._controller.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._controller.stop()

    @property
    def url(self) -> str:
        """The address for SMTP_URL."""
        return f"smtp://127.0.0.1:{self.port}"

    @property
    def accepted(self) -> list[Accepted]:
        """Every yes so far, in order."""
        with self._guard:
            return list(self._accepted)

    async def handle_EHLO(  # noqa: N802 - aiosmtpd's name
        self,
        server: SMTP,
        session: Session,
        envelope: Envelope,
        hostname: str,
        responses: list[str],
    ) -> list[str]:
        """Called by aiosmtpd once a connection: who is it?"""
        session.host_name = hostname
        port = session.peer[1]
        for connection in psutil.net_connections(kind="tcp4"):
            if connection.laddr and connection.laddr.port == port and connection.pid:
                self._pids[port] = connection.pid
        return responses

    async def handle_DATA(  # noqa: N802 - aiosmtpd's name
        self, server: SMTP, session: Session, envelope: Envelope
    ) -> str:
        """Called by aiosmtpd with each whole mail."""
        await asyncio.sleep(THOUGHT_SECONDS)
        found = MESSAGE_ID.search(envelope.original_content or b"")
        accepted = Accepted(
            message_id=found.group(1).decode() if found else "",
            recipient=envelope.rcpt_tos[0],
            at=time.time(),
            pid=self._pids.get(session.peer[1], 0),
        )
        with self._guard:
            self._accepted.append(accepted)
            self._guard.notify_all()
        return "250 Kept"
