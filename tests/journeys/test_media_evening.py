"""An evening that goes wrong and is whole all the same: from the desk to the closed window.

On air with a reload and a network that is gone for twenty seconds, two viewers on weak networks,
a recording that is looked at, trimmed and captioned before anybody sees it, and every address that
was used on the way dead once the window is closed.
"""

import time
from datetime import UTC, datetime
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect
from sqlalchemy import select

from tests.builders import make_registration, make_user
from tests.journeys.browsing import page_of, season, wait_for, wait_until_time_passes
from tests.journeys.conftest import Site
from webinar.db import open_db, read_db
from webinar.domain.access import Role
from webinar.models import Broadcast, Recording, User, WebinarSession

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)

VIDEO = "document.querySelector('video')"
CUT_SECONDS = 20
CAPTIONS = """WEBVTT

00:01.000 --> 00:04.000
Good evening from Lugano.

00:05.000 --> 00:30.000
We begin with a case.
"""


def test_an_evening_with_a_reload_and_a_lost_network_ends_with_dead_addresses(
    site: Site, browser: Browser, tmp_path: Path
) -> None:
    session, speaker, viewer = season(datetime.now(UTC))
    organiser, another = people(session)
    studio = go_on_air(browser, site, speaker, session)
    small = watch_live(browser, site, viewer, session, "low")
    sound = watch_live(browser, site, another, session, "audio")

    away = reload_in_the_middle(studio, small)
    lose_the_network(studio, small, sound)
    sizes = [page.evaluate(f"{VIDEO}.videoHeight") for page in (small, sound)]
    filmed = end_the_session(studio)

    desk = page_of(browser, site, organiser)
    wait_until_it_can_be_looked_at(desk, session)
    recorded = duration(session)
    refused = small.request.get(f"/sessions/{session.public_id}/recording").status
    trim_and_caption(desk, session, tmp_path)
    publish(desk)
    addresses = watch_recording(small, session)
    before = {url: small.request.get(url).status for url in addresses}
    close(desk, session)
    # It plays: within half a minute it hears of it, at the latest from its next key.
    expect(small.get_by_text("This recording has closed")).to_be_visible(timeout=60_000)
    after = {url: small.request.get(url).status for url in addresses}

    assert sizes == [360, 0]
    # Nothing was lost: what the studio filmed is in the recording; a page that loads films nothing.
    assert filmed - away - 5 <= recorded <= filmed + 3
    assert refused != 200
    assert set(before.values()) == {200}
    assert set(after.values()) == {410}
    assert kinds(addresses) == {
        "captions", "keys", "page", "poster", "playlist", "recording.m3u8", "segments",
    }  # fmt: skip


def people(session: WebinarSession) -> tuple[User, User]:
    """An organiser, who wants to look before publishing, and a second viewer."""
    with open_db.begin() as db:
        organiser = make_user(db, roles=(Role.ORGANISER,))
        another = make_user(db)
        row = db.get_one(WebinarSession, session.id)
        row.reviews_recording = True
        make_registration(db, row, another)
    return organiser, another


def go_on_air(browser: Browser, site: Site, speaker: User, session: WebinarSession) -> Page:
    studio = page_of(browser, site, speaker)
    studio.goto(f"/studio/{session.public_id}")
    go_live = studio.get_by_role("button", name="Go live")
    expect(go_live).to_be_enabled()
    go_live.click()
    expect(studio.get_by_text("On air", exact=True)).to_be_visible()
    return studio


def watch_live(
    browser: Browser, site: Site, user: User, session: WebinarSession, picture: str
) -> Page:
    page = page_of(browser, site, user)
    page.add_init_script(f"localStorage.setItem('picture', '{picture}')")
    page.goto(f"/sessions/{session.public_id}/live")
    wait_until_time_passes(page, 1)
    return page


def reload_in_the_middle(studio: Page, viewer: Page) -> float:
    """Seconds in which nobody filmed."""
    studio.on("dialog", lambda dialog: dialog.accept())
    gone_at = time.monotonic()
    studio.reload()
    again = studio.get_by_role("button", name="Go on sending")
    expect(again).to_be_enabled()
    again.click()
    expect(studio.get_by_text("On air", exact=True)).to_be_visible()
    away = time.monotonic() - gone_at
    wait_until_time_passes(viewer, 3)
    return away


def lose_the_network(studio: Page, *viewers: Page) -> None:
    """For twenty seconds nothing leaves the desk; then everything that was filmed does."""
    studio.context.set_offline(True)
    studio.wait_for_timeout(CUT_SECONDS * 1000)
    studio.context.set_offline(False)
    wait_for(studio, "document.querySelector('[data-part=\"sending\"]').className === 'fine'")
    for viewer in viewers:
        wait_until_time_passes(viewer, 3)


def end_the_session(studio: Page) -> float:
    """Seconds between going live and pressing Stop."""
    studio.get_by_role("button", name="Stop").click()
    studio.get_by_role("button", name="End the session").click()
    expect(studio.get_by_text("The broadcast has ended")).to_be_visible()
    with read_db() as db:
        broadcast = db.scalars(select(Broadcast)).one()
    assert broadcast.started_at is not None
    assert broadcast.stopped_at is not None
    return (broadcast.stopped_at - broadcast.started_at).total_seconds()


def wait_until_it_can_be_looked_at(desk: Page, session: WebinarSession) -> None:
    for _ in range(120):
        desk.goto(f"/manage/sessions/{session.public_id}/recording")
        if desk.get_by_text("Publish the recording").count():
            return
        desk.wait_for_timeout(500)
    raise AssertionError("the recording did not become ready")


def duration(session: WebinarSession) -> float:
    with read_db() as db:
        query = select(Recording).where(Recording.session_id == session.id)
        return db.scalars(query).one().duration_seconds


def trim_and_caption(desk: Page, session: WebinarSession, folder: Path) -> None:
    """Three seconds less at the beginning, and words to read along."""
    shown = duration(session)
    desk.get_by_label("Begin at").fill("0:03")
    desk.get_by_role("button", name="Trim").click()
    expect(desk.get_by_text("Left out, by the time of the whole")).to_be_visible()
    captions = folder / "captions.vtt"
    captions.write_text(CAPTIONS)
    desk.get_by_label("File (.vtt or .srt)").set_input_files(captions)
    desk.get_by_role("button", name="Bring in").click()
    expect(desk.get_by_role("link", name="English", exact=True)).to_be_visible()
    with read_db() as db:
        kept = db.scalars(select(Recording)).one().kept
    assert kept is not None
    assert sum(end - start for start, end in kept) / 1000 == pytest.approx(shown - 3, abs=1.1)


def publish(desk: Page) -> None:
    desk.get_by_text("Publish the recording").click()
    desk.get_by_role("button", name="Publish it and tell them").click()
    expect(desk.get_by_text("A recording cannot be unpublished")).to_be_visible()


def watch_recording(page: Page, session: WebinarSession) -> list[str]:
    """By mouse and by keys; the addresses it came from."""
    urls: list[str] = []
    page.on("request", lambda request: urls.append(request.url))
    page.goto(f"/sessions/{session.public_id}/recording")
    page.evaluate(f"{VIDEO}.play()")
    wait_until_time_passes(page, 1)
    page.evaluate(f"{VIDEO}.currentTime = 20")
    wait_for(page, f"{VIDEO}.currentTime > 20.5")
    # It stands: what the key does is to be seen, however long the key takes to come.
    page.evaluate(f"{VIDEO}.pause()")
    at = page.evaluate(f"{VIDEO}.currentTime")
    page.get_by_label("Speed").select_option("2")
    assert page.evaluate(f"{VIDEO}.playbackRate") == 2
    page.keyboard.press("Escape")
    page.evaluate("document.activeElement.blur()")
    page.keyboard.press("ArrowLeft")
    wait_for(page, f"Math.abs({VIDEO}.currentTime - {at - 15}) < 0.5")
    page.get_by_label("Captions").select_option("en")
    wait_for(page, f"[...{VIDEO}.textTracks].some((track) => track.cues?.length === 2)")
    page.evaluate(f"{VIDEO}.playbackRate = 1; {VIDEO}.currentTime = 0; {VIDEO}.play()")
    master = page.locator("[data-player]").get_attribute("data-playlist") or ""
    media = [url for url in urls if "/recordings/" in url]
    return list(dict.fromkeys([page.url, *media, page.url.partition("/sessions/")[0] + master]))


def kinds(addresses: list[str]) -> set[str]:
    found = set()
    for url in addresses:
        path = url.partition("?")[0].partition("/recordings/")[2].split("/")[1:]
        if not path:
            found.add("page")
        elif len(path) == 2 and path[1].endswith(".m3u8"):
            found.add("playlist")
        else:
            found.add(path[0].removesuffix(".jpg"))
    return found


def close(desk: Page, session: WebinarSession) -> None:
    desk.goto(f"/manage/sessions/{session.public_id}/recording/window")
    desk.get_by_text("Close it now").click()
    desk.locator("[name=close-reason]").fill("The speaker asked for it.")
    desk.get_by_role("button", name="Close and destroy it").click()
    expect(desk.get_by_text("Closed").first).to_be_visible()
