"""A Zoom of our own: asks for the token, pages its lists, signs its webhooks by itself."""

import hashlib
import hmac
import json
from base64 import b64encode
from datetime import datetime
from urllib.parse import parse_qs, unquote

from tests.rooms.listening import Asked, ListeningServer, Reply

WEBHOOK_SECRET = "the secret token of the webhooks"
CLIENT = ("client-id", "client-secret")
ACCOUNT = "account-1"
PAGE_SIZE = 2


def signed(body: bytes, at: datetime, secret: str = WEBHOOK_SECRET) -> dict[str, str]:
    """The two headers, worked out as the documentation says."""
    stamp = str(int(at.timestamp()))
    message = b"v0:" + stamp.encode() + b":" + body
    digest = hmac.new(secret.encode(), message, hashlib.sha256).hexdigest()
    return {"x-zm-signature": f"v0={digest}", "x-zm-request-timestamp": stamp}


def joined(webinar: str, registrant: str, user: str, at: str, *, event: str = "joined") -> bytes:
    """`webinar.participant_joined` or `_left`."""
    time = {"joined": "join_time", "left": "leave_time"}[event]
    return json.dumps(
        {
            "event": f"webinar.participant_{event}",
            "event_ts": 1_795_713_300_000,
            "payload": {
                "account_id": ACCOUNT,
                "object": {
                    "id": webinar,
                    "uuid": "run-1==",
                    "participant": {
                        "user_id": user,
                        "user_name": "Participant",
                        "email": "someone@example.net",
                        "registrant_id": registrant,
                        time: at,
                    },
                },
            },
        }
    ).encode()


def plain(event: str, webinar: str, at: datetime) -> bytes:
    """An event about the webinar as a whole."""
    stamp = int(at.timestamp() * 1000)
    return json.dumps(
        {"event": event, "event_ts": stamp, "payload": {"object": {"id": webinar}}}
    ).encode()


class FakeZoom(ListeningServer):
    """Webinars, registrants, reports and recordings, kept in memory."""

    def __init__(self) -> None:
        super().__init__()
        self.tokens = 0
        self.valid_token = ""
        self.lasts = 3600
        self.webinars: dict[str, dict[str, object]] = {}
        self.registrants: dict[str, dict[str, str]] = {}
        self.panelists: list[dict[str, str]] = []
        self.runs: list[str] = []
        self.reports: dict[str, list[dict[str, str]]] = {}
        self.recordings: dict[str, list[dict[str, object]]] = {}
        self.deleted: list[str] = []
        self.ended: list[str] = []
        self.video = b""
        self.redirect_to = ""
        self.is_broken = False

    def answer(self, asked: Asked) -> Reply:
        if self.is_broken:
            return Reply(500, b"<html>we are sorry")
        if asked.path == "/oauth/token":
            return self._token(asked)
        if asked.headers.get("authorization") != f"Bearer {self.valid_token}":
            return self._said({"code": 124, "message": "Invalid access token."}, 401)
        if asked.path.startswith("/rec/"):
            if self.redirect_to:
                return Reply(302, headers={"Location": self.redirect_to})
            return Reply(body=self.video)
        # Slashes inside an identifier come encoded twice; once is undone by any server.
        parts = [unquote(part) for part in asked.path.removeprefix("/v2/").split("/")]
        sent = json.loads(asked.body) if asked.body else {}
        match (asked.method, parts):
            case ("POST", ["users", "me", "webinars"]):
                number = str(98_000_000_000 + len(self.webinars))
                self.webinars[number] = sent
                return self._said({"id": int(number), "uuid": "made=="}, 201)
            case ("PATCH", ["webinars", number]):
                self.webinars[number].update(sent)
                return Reply(204)
            case ("DELETE", ["webinars", number]):
                del self.webinars[number]
                return Reply(204)
            case ("GET", ["webinars", number]):
                return self._said({"id": int(number), "start_url": f"{self.url}/s/{number}?zak=x"})
            case ("POST", ["webinars", number, "registrants"]):
                person = f"reg_{len(self.registrants)}"
                self.registrants[person] = sent
                return self._said(
                    {
                        "id": int(number),
                        "registrant_id": person,
                        "join_url": f"{self.url}/w/{number}?tk={person}",
                    },
                    201,
                )
            case ("POST", ["webinars", number, "panelists"]):
                for one in sent["panelists"]:
                    way = f"{self.url}/w/{number}?panelist={len(self.panelists)}"
                    self.panelists.append({**one, "join_url": way})
                return self._said({}, 201)
            case ("GET", ["webinars", _, "panelists"]):
                return self._said({"panelists": self.panelists})
            case ("PUT", ["webinars", number, "status"]):
                self.ended.append(number)
                return Reply(204)
            case ("GET", ["past_webinars", _, "instances"]):
                return self._said({"webinars": [{"uuid": run} for run in self.runs]})
            case ("GET", ["report", "webinars", run, "participants"]):
                return self._page(unquote(run), asked)
            case ("GET", ["meetings", run, "recordings"]) if unquote(run) in self.recordings:
                return self._said({"recording_files": self.recordings[unquote(run)]})
            case ("DELETE", ["meetings", run, "recordings"]):
                self.deleted.append(unquote(run))
                return Reply(204)
        return self._said({"code": 3001, "message": "does not exist"}, 404)

    def _token(self, asked: Asked) -> Reply:
        said = parse_qs(asked.query)
        proof = "Basic " + b64encode(":".join(CLIENT).encode()).decode()
        if asked.headers.get("authorization") != proof or said["account_id"] != [ACCOUNT]:
            return self._said({"reason": "Invalid client_id or client_secret"}, 400)
        self.tokens += 1
        self.valid_token = f"token-{self.tokens}"
        return self._said({"access_token": self.valid_token, "expires_in": self.lasts})

    def _page(self, run: str, asked: Asked) -> Reply:
        said = parse_qs(asked.query)
        start = int(said.get("next_page_token", ["0"])[0])
        rows = self.reports[run]
        if said.get("include_fields") != ["registrant_id"]:
            rows = [{k: v for k, v in row.items() if k != "registrant_id"} for row in rows]
        end = start + PAGE_SIZE
        token = str(end) if end < len(rows) else ""
        return self._said({"participants": rows[start:end], "next_page_token": token})

    def _said(self, value: dict[str, object], status: int = 200) -> Reply:
        return Reply(status, json.dumps(value).encode(), {"Content-Type": "application/json"})
