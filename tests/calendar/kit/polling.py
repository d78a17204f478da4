"""Does a feed's address behave as programs that poll it for years need it to?"""

import email.utils
import http.client
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from urllib.parse import urlsplit

_OLD_DATE = "Thu, 01 Jan 2015 00:00:00 GMT"
_ACCEPTS = ("text/calendar", "text/html,*/*;q=0.1")


@dataclass(frozen=True)
class _Answer:
    status: int
    headers: http.client.HTTPMessage
    body: bytes


def judge_http(url: str, *, pause: float = 1.1) -> list[str]:
    """Complaints about an address that serves a feed.

    Between two looks it waits `pause` seconds: more than one shows a stamp of "now" in the bytes.
    """
    first = _ask(url)
    if first.status != 200:
        return [f"GET answers {first.status}, not 200"]
    time.sleep(pause)
    return [
        *_judge_headers(first),
        *_judge_sameness(url, first),
        *_judge_revalidation(url, first),
        *_judge_head(url, first),
        *(
            f"Accept: {accept} answers {status}, not 200"
            for accept in _ACCEPTS
            if (status := _ask(url, Accept=accept).status) != 200
        ),
    ]


def _judge_headers(answer: _Answer) -> list[str]:
    headers, complaints = answer.headers, []
    kind = headers.get("Content-Type", "")
    if kind.lower().replace(" ", "") != "text/calendar;charset=utf-8":
        complaints.append(f"Content-Type is {kind!r}, not text/calendar; charset=utf-8")
    for name in ("ETag", "Last-Modified", "Cache-Control"):
        if name not in headers:
            complaints.append(f"no {name}")
    if headers.get("ETag", "").startswith("W/"):
        complaints.append("the ETag is weak, though the bytes are the same")
    if "no-store" in headers.get("Cache-Control", ""):
        complaints.append("Cache-Control: no-store forbids to ask again for changes only")
    if headers.get("Content-Encoding", "identity") != "identity":
        complaints.append("compressed, though nobody asked for it")
    if "Set-Cookie" in headers:
        complaints.append("it sets a cookie")
    if "cookie" in headers.get("Vary", "").lower():
        complaints.append("Vary names Cookie: the feed looked at who is signed in")
    changed = headers.get("Last-Modified")
    if changed and email.utils.parsedate_to_datetime(changed) > datetime.now(UTC):
        complaints.append("Last-Modified lies in the future")
    return complaints


def _judge_sameness(url: str, first: _Answer) -> list[str]:
    again, packed = _ask(url), _ask(url, Accept_Encoding="gzip")
    complaints = []
    if again.body != first.body:
        complaints.append("two looks at an unchanged feed differ")
    if again.headers.get("ETag") != first.headers.get("ETag"):
        complaints.append("the ETag changes although the feed does not")
    if packed.headers.get("Content-Encoding", "identity") != "identity":
        complaints.append("compressed on request: Outlook fails on that")
    return complaints


def _judge_revalidation(url: str, first: _Answer) -> list[str]:
    tag, changed = first.headers.get("ETag"), first.headers.get("Last-Modified")
    complaints = []
    if tag:
        for known in (tag, f"W/{tag}", f'"other", {tag}', "*"):
            complaints += _expect(url, 304, If_None_Match=known)
        complaints += _expect(url, 200, If_None_Match='"other"')
    if changed:
        complaints += _expect(url, 304, If_Modified_Since=changed)
        complaints += _expect(url, 200, If_Modified_Since=_OLD_DATE)
    if tag and changed:
        # RFC 9110 13.2.2: where both come, the tag decides.
        complaints += _expect(url, 200, If_None_Match='"other"', If_Modified_Since=changed)
        complaints += _expect(url, 304, If_None_Match=tag, If_Modified_Since=_OLD_DATE)
    return complaints


def _judge_head(url: str, first: _Answer) -> list[str]:
    head = _ask(url, method="HEAD")
    if head.status != 200 or head.body:
        return [f"HEAD answers {head.status} with {len(head.body)} bytes"]
    names = ("Content-Type", "ETag", "Last-Modified", "Content-Length")
    return [
        f"HEAD and GET differ in {name}"
        for name in names
        if head.headers.get(name) != first.headers.get(name)
    ]


def _expect(url: str, status: int, **headers: str) -> list[str]:
    answer = _ask(url, **headers)
    asked = ", ".join(f"{name.replace('_', '-')}: {value}" for name, value in headers.items())
    if answer.status != status:
        return [f"{asked} answers {answer.status}, not {status}"]
    if status == 304 and answer.body:
        return [f"{asked} answers 304 with a body"]
    return []


def _ask(url: str, *, method: str = "GET", **headers: str) -> _Answer:
    parts = urlsplit(url)
    kind = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
    connection = kind(parts.netloc, timeout=30)
    try:
        target = parts.path + (f"?{parts.query}" if parts.query else "")
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        connection.request(method, target, headers=named)
        answer = connection.getresponse()
        return _Answer(answer.status, answer.headers, answer.read())
    finally:
        connection.close()
