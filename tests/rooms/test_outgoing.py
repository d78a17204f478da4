"""Requests go where they were meant to go, and nowhere else."""

import logging
from pathlib import Path

import pytest

from tests.rooms.listening import Asked, ListeningServer, Reply
from webinar.domain.rooms import RoomTrouble
from webinar.rooms.outgoing import Outgoing


class Sending(ListeningServer):
    """Answers with one reply, always."""

    def __init__(self, reply: Reply) -> None:
        super().__init__()
        self.reply = reply

    def answer(self, asked: Asked) -> Reply:
        return self.reply


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1:1/",
        "http://169.254.169.254/latest/meta-data/",
        "http://localhost/",
        "https://bbb.example:8443/",
        "http://bbb.example/",
        "https://bbb.example@evil.example/",
        "https://bbb.example.evil.example/",
        "file:///etc/passwd",
        "gopher://bbb.example/",
        "https://",
        "https://[::1/",
    ],
)
def test_no_other_host_port_or_scheme_is_asked(url: str) -> None:
    with pytest.raises(RoomTrouble):
        Outgoing("BigBlueButton", ("https://bbb.example/bigbluebutton/",)).ensure_allowed(url)


@pytest.mark.parametrize(
    ("url", "is_allowed"),
    [
        ("https://zoom.us/rec/x", True),
        ("https://ssrweb.zoom.us/x", True),
        ("http://ssrweb.zoom.us/x", False),
        ("https://ssrweb.zoom.us:8443/x", False),
        ("https://evilzoom.us/x", False),
        ("https://zoom.us.evil.example/x", False),
    ],
)
def test_zooms_own_hosts_are_those_under_its_domain(url: str, is_allowed: bool) -> None:
    outgoing = Outgoing("Zoom", ("https://api.zoom.us",), ("zoom.us",))

    if is_allowed:
        assert outgoing.ensure_allowed(url).scheme == "https"
    else:
        with pytest.raises(RoomTrouble):
            outgoing.ensure_allowed(url)


def test_a_recording_that_sends_us_elsewhere_is_not_followed(tmp_path: Path) -> None:
    with (
        Sending(Reply(body=b"inside")) as inside,
        Sending(Reply(302, headers={"Location": f"{inside.url}/secret"})) as provider,
        pytest.raises(RoomTrouble, match="not one of its hosts"),
    ):
        Outgoing("Zoom", (provider.url,)).download(
            f"{provider.url}/rec", tmp_path / "film", alive=lambda: None
        )

    assert inside.asked == []
    assert list(tmp_path.iterdir()) == []


def test_who_we_are_is_told_to_the_first_host_alone(tmp_path: Path) -> None:
    with (
        Sending(Reply(body=b"film")) as store,
        Sending(Reply(302, headers={"Location": f"{store.url}/film"})) as provider,
    ):
        Outgoing("Zoom", (provider.url, store.url)).download(
            f"{provider.url}/rec",
            tmp_path / "film",
            alive=lambda: None,
            headers={"Authorization": "Bearer secret"},
        )

    assert provider.asked[0].headers["authorization"] == "Bearer secret"
    assert "authorization" not in store.asked[0].headers
    assert (tmp_path / "film").read_bytes() == b"film"


def test_going_round_in_circles_ends(tmp_path: Path) -> None:
    with (
        Sending(Reply(302, headers={"Location": "/again"})) as provider,
        pytest.raises(RoomTrouble, match="without end"),
    ):
        Outgoing("Zoom", (provider.url,)).download(
            f"{provider.url}/rec", tmp_path / "film", alive=lambda: None
        )


@pytest.mark.parametrize(
    "reply", [Reply(304), Reply(302), Reply(302, headers={"Location": "http://[::1/"})]
)
def test_being_sent_nowhere_is_trouble_in_words(tmp_path: Path, reply: Reply) -> None:
    with Sending(reply) as provider, pytest.raises(RoomTrouble):
        Outgoing("Zoom", (provider.url,)).download(
            f"{provider.url}/rec", tmp_path / "film", alive=lambda: None
        )

    assert list(tmp_path.iterdir()) == []


def test_what_is_too_large_is_not_kept(tmp_path: Path) -> None:
    with (
        Sending(Reply(body=b"x" * 2000)) as provider,
        pytest.raises(RoomTrouble, match="sent more than 1999 bytes"),
    ):
        Outgoing("Zoom", (provider.url,)).download(
            f"{provider.url}/rec", tmp_path / "film", alive=lambda: None, largest=1999
        )

    assert list(tmp_path.iterdir()) == []


def test_an_error_page_is_no_recording(tmp_path: Path) -> None:
    with (
        Sending(Reply(403, b"<html>sign in")) as provider,
        pytest.raises(RoomTrouble, match="answered 403 instead"),
    ):
        Outgoing("Zoom", (provider.url,)).download(
            f"{provider.url}/rec", tmp_path / "film", alive=lambda: None
        )


def test_no_address_with_its_secrets_stands_in_the_log(caplog: pytest.LogCaptureFixture) -> None:
    with Sending(Reply()) as provider, caplog.at_level(logging.INFO):
        Outgoing("Zoom", (provider.url,)).ask("GET", f"{provider.url}/?checksum=secret")

    assert "secret" not in caplog.text
