"""A real nginx for the tests: a configuration of theirs, in a folder of its own, on loopback."""

import os
import socket
from collections.abc import Sequence
from pathlib import Path
from typing import Self

from tests.components.programs import find_nginx, find_nginx_module
from tests.components.servers import GuardedServer, ServerFolder

_SCRATCH = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")


class NginxServer:
    """`with NginxServer(port, http="server { listen 127.0.0.1:%d; ... }" % port) as nginx:`.

    `http` goes into the block of that name, `main` stands beside it (an `rtmp` block, say, with
    modules=("rtmp",)). `{folder}` in it is a folder that is removed with the server. It has begun
    once it accepts connections on `port`.
    """

    def __init__(
        self,
        port: int,
        *,
        http: str = "",
        main: str = "",
        modules: Sequence[str] = (),
        workers: int = 1,
        error_level: str = "info",
    ) -> None:
        self.port = port
        self.folder = ServerFolder("nginx")
        self._config = self.folder.path / "nginx.conf"
        scratch = [f"{name}_temp_path {self.folder.path / name};" for name in _SCRATCH]
        lines = [
            *(f"load_module {find_nginx_module(name)};" for name in modules),
            # Its workers must be able to read what the tests write.
            *(["user root;"] if os.geteuid() == 0 else []),
            "daemon off;",
            f"worker_processes {workers};",
            f"pid {self.folder.path / 'nginx.pid'};",
            f"error_log {self.error_log} {error_level};",
            "events { worker_connections 4096; }",
            main,
            "http {",
            f"access_log {self.access_log};",
            *scratch,
            http.replace("{folder}", str(self.folder.path)),
            "}",
        ]
        self._config.write_text("\n".join(lines) + "\n")

    @property
    def command(self) -> list[str | Path]:
        """What starts it, for who looks after the process otherwise than `with`."""
        return [find_nginx(), "-p", self.folder.path, "-c", self._config]

    @property
    def access_log(self) -> Path:
        """What was asked for; gone with the server."""
        return self.folder.path / "access.log"

    @property
    def error_log(self) -> Path:
        """What went wrong; gone with the server."""
        return self.folder.path / "error.log"

    @property
    def pid(self) -> int:
        """The master process; its children serve."""
        return int((self.folder.path / "nginx.pid").read_text())

    def __enter__(self) -> Self:
        self._server = GuardedServer(self.command, self.folder)
        self._server.wait_until(self._listens)
        return self

    def __exit__(self, *_: object) -> None:
        self._server.stop()

    def _listens(self) -> bool:
        try:
            socket.create_connection(("127.0.0.1", self.port), timeout=1).close()
        except OSError:
            return False
        return True
