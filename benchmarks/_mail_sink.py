"""A mail server that takes everything and keeps nothing, in a process of its own."""

import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session

from tests.components.servers import free_port


class _Sink:
    async def handle_DATA(  # noqa: N802 - aiosmtpd's name
        self, server: SMTP, session: Session, envelope: Envelope
    ) -> str:
        """Called by aiosmtpd with each whole mail."""
        return "250 Taken"


@contextmanager
def mail_sink() -> Iterator[int]:
    """Its port, once it listens."""
    port = free_port()
    with subprocess.Popen(
        [sys.executable, "-m", "benchmarks._mail_sink", str(port)],
        stdout=subprocess.PIPE,
        stdin=subprocess.PIPE,
    ) as process:
        assert process.stdout is not None
        assert process.stdin is not None
        process.stdout.readline()
        try:
            yield port
        finally:
            process.stdin.close()


def _serve(port: int) -> None:
    controller = Controller(_Sink(), hostname="127.0.0.1", port=port)
    controller.start()
    sys.stdout.write("listening\n")
    sys.stdout.flush()
    while sys.stdin.read(1):
        time.sleep(0.1)
    controller.stop()


if __name__ == "__main__":
    _serve(int(sys.argv[1]))
