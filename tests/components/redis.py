"""A real Redis for the tests: own port, keeps nothing, gone when the tests are."""

import secrets
from typing import Self

import redis

from tests.components.programs import find_redis
from tests.components.servers import GuardedServer, ServerDied, ServerFolder, free_port


class RedisServer:
    """`with RedisServer() as server: redis.Redis.from_url(server.url())`."""

    def __init__(self) -> None:
        self._password = secrets.token_urlsafe(12)
        self._port = 0

    def __enter__(self) -> Self:
        try:
            self._start()
        except ServerDied:  # somebody took the port between our looking and listening
            self._start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.stop()

    def url(self, database: int = 0) -> str:
        """The address for REDIS_URL; there are databases 0 to 15."""
        return f"redis://:{self._password}@127.0.0.1:{self._port}/{database}"

    def flush(self) -> None:
        """Empty all databases."""
        with redis.Redis.from_url(self.url()) as client:
            client.flushall()

    def _start(self) -> None:
        self._port = free_port()
        folder = ServerFolder("redis")
        settings = {
            "port": str(self._port),
            "bind": "127.0.0.1",
            "requirepass": self._password,
            "save": "",
            "appendonly": "no",
            "dir": str(folder.path),
        }
        options = [word for name, value in settings.items() for word in (f"--{name}", value)]
        self._server = GuardedServer([find_redis(), *options], folder)
        self._server.wait_until(self._answers)

    def _answers(self) -> bool:
        with redis.Redis.from_url(self.url()) as client:
            try:
                return bool(client.ping())
            except redis.ConnectionError:  # not listening yet, or still loading
                return False
