"""One ffmpeg that takes what a program such as OBS sends, by SRT or RTMP, as MPEG-TS packets.

Nothing is encoded. The address, with its passphrase, goes through a pipe: neither the list of
processes nor a log shows it.
"""

import logging
import os
import select
import subprocess
import threading
from types import TracebackType
from typing import IO, Self

from webinar.domain.streaming import whole_packets
from webinar.media.ffmpeg import command

log = logging.getLogger(__name__)

READ_BYTES = 256 * 1024
STOP_SECONDS = 5
# A sender decides what the bytes are: nothing but streams is looked for in them, no playlists.
ONLY_STREAMS = ["-format_whitelist", "concat,mpegts,flv,live_flv"]
# What ffmpeg says of a caller that was refused, and what we say of it.
REFUSALS = {
    b"BADSECRET": "Somebody tried with a wrong passphrase. Copy the address anew.",
    b"UNSECURE": "Somebody tried without the passphrase. Copy the whole address.",
    b"Address already in use": "The port is used by another program on the server.",
}


def srt_listener(port: int, passphrase: str) -> str:
    """The address of a listener that takes one encrypted sender and refuses all others."""
    return f"srt://0.0.0.0:{port}?mode=listener&passphrase={passphrase}&pbkeylen=16"


class Receiver:
    """A running ffmpeg. Leave the `with` block to be rid of it."""

    def __init__(self, address: str) -> None:
        if "'" in address or "\n" in address:
            raise ValueError("an address holds neither quotes nor line breaks")
        source = ["-analyzeduration", "1000000", "-f", "concat", "-safe", "0"]
        source += ["-protocol_whitelist", "pipe,srt,udp,rtmp,tcp", *ONLY_STREAMS, "-i", "pipe:0"]
        tracks = ["-map", "0:v:0?", "-map", "0:a:0?", "-c", "copy"]
        packets = ["-f", "mpegts", "-flush_packets", "1", "-muxdelay", "0", "pipe:1"]
        self.problem: str | None = None
        self._rest = b""
        self._process = subprocess.Popen(
            command(
                ["-hide_banner", "-nostats", "-loglevel", "warning", *source, *tracks, *packets]
            ),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        stdin, out, errors = self._process.stdin, self._process.stdout, self._process.stderr
        if stdin is None or out is None or errors is None:
            raise ValueError("ffmpeg was started without its pipes")
        self._out = out
        stdin.write(f"ffconcat version 1.0\nfile '{address}'\n".encode())
        stdin.close()
        self._reader = threading.Thread(target=self._listen, args=(errors,), daemon=True)
        self._reader.start()

    def read(self, *, timeout_seconds: float) -> bytes | None:
        """Whole packets that came in the meantime, b"" if none did; None once the sender left."""
        ready, _, _ = select.select([self._out], [], [], timeout_seconds)
        if not ready:
            return b""
        data = os.read(self._out.fileno(), READ_BYTES)
        if not data:
            return None
        packets, self._rest = whole_packets(self._rest + data)
        return packets

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._process.poll() is None:
            self._process.kill()
        self._process.wait(STOP_SECONDS)
        self._reader.join(STOP_SECONDS)
        for pipe in (self._process.stdout, self._process.stderr):
            if pipe is not None:
                pipe.close()

    def _listen(self, errors: IO[bytes]) -> None:
        """Keep what people can act on; the lines themselves may hold the passphrase."""
        for line in errors:
            for sign, words in REFUSALS.items():
                if sign in line:
                    self.problem = words
                    log.warning("sender refused or port taken: %s", sign.decode())
