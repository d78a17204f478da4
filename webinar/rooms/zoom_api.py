"""Calls to Zoom as one account: a token for an hour, JSON, pages, and words for what went wrong."""

import json
from base64 import b64encode
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from threading import Lock
from urllib.parse import quote, urlencode, urlsplit

from webinar.domain.rooms import RoomMissing, RoomTrouble, RoomUnwilling
from webinar.rooms.outgoing import Answer, Outgoing

MOST_PAGES = 200
# A token is not used in its last minute.
MARGIN = timedelta(minutes=1)


@dataclass(frozen=True, kw_only=True)
class ZoomAccount:
    """A server-to-server OAuth app, and the secret token of its webhooks."""

    url: str
    account_id: str
    client_id: str
    client_secret: str
    webhook_secret: str


@dataclass(frozen=True)
class _Token:
    text: str
    until: datetime


class ZoomApi:
    """Authenticated requests, to Zoom's own hosts alone."""

    def __init__(self, account: ZoomAccount) -> None:
        self._account = account
        self._api = account.url.rstrip("/")
        parts = urlsplit(self._api)
        # Tokens come from the bare domain, https://zoom.us, the interface from api. before it.
        self._issuer = f"{parts.scheme}://{parts.netloc.removeprefix('api.')}"
        domains = (parts.netloc.removeprefix("api."),) if parts.scheme == "https" else ()
        self._outgoing = Outgoing("Zoom", (self._api, self._issuer), domains)
        self._token: _Token | None = None
        self._lock = Lock()

    def call(
        self,
        method: str,
        path: str,
        *,
        now: datetime,
        query: Mapping[str, str] | None = None,
        body: Mapping[str, object] | None = None,
    ) -> Mapping[str, object]:
        """The answer as JSON; an empty one is an empty mapping. Raises RoomMissing, RoomTrouble."""
        url = f"{self._api}/v2{path}" + (f"?{urlencode(query)}" if query else "")
        answer = self._outgoing.ask(method, url, headers=self._proof(now), json=body)
        if answer.status == 401:
            # The token was taken back before its hour was over: once more with a new one.
            self._token = None
            answer = self._outgoing.ask(method, url, headers=self._proof(now), json=body)
        return _said(answer)

    def pages(
        self, path: str, name: str, *, now: datetime, query: Mapping[str, str]
    ) -> Iterator[Mapping[str, object]]:
        """Every item of a list that comes in pages."""
        token = ""
        for _ in range(MOST_PAGES):
            more = {"next_page_token": token} if token else {}
            page = self.call("GET", path, now=now, query={**query, **more})
            yield from items(page, name)
            token = text(page.get("next_page_token"))
            if not token:
                return
        raise RoomTrouble("Zoom's list has no end.")

    def download(self, url: str, path: Path, *, alive: Callable[[], None], now: datetime) -> None:
        """A file of the account."""
        self._outgoing.download(url, path, headers=self._proof(now), alive=alive)

    def _proof(self, now: datetime) -> dict[str, str]:
        with self._lock:
            if self._token is None or self._token.until <= now:
                self._token = self._new_token(now)
            return {"Authorization": f"Bearer {self._token.text}"}

    def _new_token(self, now: datetime) -> _Token:
        account = self._account
        query = urlencode({"grant_type": "account_credentials", "account_id": account.account_id})
        proof = b64encode(f"{account.client_id}:{account.client_secret}".encode()).decode()
        answer = self._outgoing.ask(
            "POST",
            f"{self._issuer}/oauth/token?{query}",
            headers={"Authorization": f"Basic {proof}"},
        )
        if answer.status in (400, 401):
            raise RoomTrouble("Zoom refused our credentials; check the WEBINAR_ZOOM settings.")
        said = _said(answer)
        lasts = said.get("expires_in")
        seconds = lasts if isinstance(lasts, int) else 0
        return _Token(text(said.get("access_token")), now + timedelta(seconds=seconds) - MARGIN)


def _said(answer: Answer) -> Mapping[str, object]:
    try:
        said = json.loads(answer.body) if answer.body.strip() else {}
    except (ValueError, RecursionError):
        said = None
    if answer.status == 404:
        raise RoomMissing("Zoom does not know this webinar or recording.")
    if answer.status == 429:
        raise RoomTrouble("Zoom asks us to wait: too many requests.")
    if not isinstance(said, dict) or answer.status >= 300:
        message = text(said.get("message")) if isinstance(said, dict) else ""
        kind = RoomUnwilling if answer.status in (400, 409) else RoomTrouble
        raise kind(f"Zoom answered {answer.status}: {message[:200] or 'without a reason'}")
    return said


def in_path(identifier: str) -> str:
    """An identifier of a run as part of an address; its slashes have to be written twice over."""
    once = quote(identifier, safe="")
    return quote(once, safe="") if identifier.startswith("/") or "//" in identifier else once


def items(page: Mapping[str, object], name: str) -> list[Mapping[str, object]]:
    """The things a page lists under a name."""
    found = page.get(name)
    return [one for one in found if isinstance(one, dict)] if isinstance(found, list) else []


def text(value: object) -> str:
    """The text, or a number as text; "" for anything else."""
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    return value if isinstance(value, str) else ""
