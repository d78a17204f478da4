"""Requests to providers: only to hosts that were named, limited in size and time. Home of httpx."""

import logging
import os
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from ssl import SSLContext
from urllib.parse import urljoin, urlsplit

import httpx

from webinar.domain.rooms import RoomTrouble

LARGEST_ANSWER = 4 * 1024 * 1024
LARGEST_RECORDING = 20 * 1024**3
ANSWER_SECONDS = 20.0
DOWNLOAD_SECONDS = 4 * 3600.0
MOST_REDIRECTS = 5
PIECE = 1024 * 1024

# It writes whole addresses at INFO; in ours are names and checksums.
logging.getLogger("httpx").setLevel(logging.WARNING)


@cache
def _trusted() -> SSLContext:
    """Whom TLS is believed from; reading them all takes a while."""
    return httpx.create_ssl_context(trust_env=False)


@dataclass(frozen=True)
class Origin:
    """Scheme, host and port: where a request may go."""

    scheme: str
    host: str
    port: int

    @classmethod
    def of(cls, url: str) -> "Origin":
        """The origin of an address; raises RoomTrouble if it has none."""
        try:
            parts = urlsplit(url)
            port = parts.port
        except ValueError:
            raise RoomTrouble("The provider gave an address that is none.") from None
        if parts.scheme not in ("http", "https") or not parts.hostname or "@" in parts.netloc:
            raise RoomTrouble("The provider gave an address that is none.")
        default = 443 if parts.scheme == "https" else 80
        return cls(parts.scheme, parts.hostname.lower(), port or default)


@dataclass(frozen=True)
class Answer:
    """What came back, whole."""

    status: int
    body: bytes


class Outgoing:
    """Requests to one provider. `domains`: hosts under these may be asked over TLS as well."""

    def __init__(self, name: str, origins: tuple[str, ...], domains: tuple[str, ...] = ()) -> None:
        self._name = name
        self._origins = frozenset(Origin.of(url) for url in origins)
        self._domains = domains
        # No proxy, no netrc from the environment; a connection ends with its request.
        self._client = httpx.Client(
            verify=_trusted(),
            trust_env=False,
            follow_redirects=False,
            timeout=httpx.Timeout(10.0, connect=5.0),
            limits=httpx.Limits(max_keepalive_connections=0),
            headers={"User-Agent": "webinar"},
        )

    def ensure_allowed(self, url: str) -> Origin:
        """Raise RoomTrouble unless requests may go there."""
        origin = Origin.of(url)
        is_known = origin in self._origins or (
            (origin.scheme, origin.port) == ("https", 443)
            and any(origin.host == name or origin.host.endswith(f".{name}")
                    for name in self._domains)
        )  # fmt: skip
        if not is_known:
            raise RoomTrouble(
                f"{self._name} points to {origin.host}, which is not one of its hosts; "
                "nothing was fetched from there."
            )
        return origin

    def ask(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        json: object = None,
    ) -> Answer:
        """One request, one answer; a redirect is an answer. Raises RoomTrouble."""
        self.ensure_allowed(url)
        with (
            self._in_words(),
            self._client.stream(method, url, headers=dict(headers or {}), json=json) as answer,
        ):
            body = b"".join(self._pieces(answer, LARGEST_ANSWER, ANSWER_SECONDS))
            return Answer(answer.status_code, body)

    def download(
        self,
        url: str,
        path: Path,
        *,
        alive: Callable[[], None],
        headers: Mapping[str, str] | None = None,
        largest: int = LARGEST_RECORDING,
    ) -> None:
        """Write a file, whole or not at all; redirects are followed to allowed hosts only.

        Headers (they prove who we are) go to the first host alone.
        """
        first, sent = self.ensure_allowed(url), dict(headers or {})
        for _ in range(MOST_REDIRECTS + 1):
            if self.ensure_allowed(url) != first:
                sent = {}
            with self._in_words(), self._client.stream("GET", url, headers=sent) as answer:
                if answer.has_redirect_location:
                    url = self._next(url, answer.headers["location"])
                    continue
                if answer.status_code != 200:
                    raise RoomTrouble(
                        f"{self._name} answered {answer.status_code} instead of the recording."
                    )
                self._write(answer, path, largest, alive)
                return
        raise RoomTrouble(f"{self._name} sends us from one address to the next without end.")

    def _next(self, url: str, location: str) -> str:
        try:
            return urljoin(url, location)
        except ValueError:
            raise RoomTrouble(f"{self._name} sends us to an address that is none.") from None

    def _write(
        self, answer: httpx.Response, path: Path, largest: int, alive: Callable[[], None]
    ) -> None:
        temporary = path.with_name(path.name + ".part")
        try:
            with temporary.open("wb") as file:
                for piece in self._pieces(answer, largest, DOWNLOAD_SECONDS):
                    file.write(piece)
                    alive()
            os.replace(temporary, path)
        finally:
            temporary.unlink(missing_ok=True)

    def _pieces(self, answer: httpx.Response, largest: int, seconds: float) -> Iterator[bytes]:
        size, ends_at = 0, time.monotonic() + seconds
        for piece in answer.iter_bytes(PIECE):
            size += len(piece)
            if size > largest:
                raise RoomTrouble(f"{self._name} sent more than {largest} bytes.")
            if time.monotonic() > ends_at:
                raise RoomTrouble(f"{self._name} took longer than {seconds:.0f} seconds.")
            yield piece

    @contextmanager
    def _in_words(self) -> Iterator[None]:
        try:
            yield
        except httpx.TimeoutException:
            raise RoomTrouble(f"{self._name} did not answer in time.") from None
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            # Its words may hold the address, and that a secret: the kind has to do.
            raise RoomTrouble(f"{self._name} cannot be reached ({type(error).__name__}).") from None
