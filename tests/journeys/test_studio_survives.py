"""The network leaves while the studio is on air: nothing that was filmed is lost."""

import json
from datetime import UTC, datetime

import pytest
from playwright.sync_api import Browser, expect
from sqlalchemy import select

from tests.journeys.browsing import page_of, season, wait_for, wait_until_time_passes
from tests.journeys.conftest import Site
from webinar.db import open_db
from webinar.models import Broadcast, BroadcastTake, WebinarSession
from webinar.tools import media_shelf

# What happens in the browser is the same on every database.
pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)

# The sizes of all pieces the recorder hands over, kept where a reload does not forget them.
REMEMBER_PIECES = """
  const start = MediaRecorder.prototype.start;
  MediaRecorder.prototype.start = function (...rest) {
    this.addEventListener("dataavailable", ({ data }) => {
      const sizes = JSON.parse(sessionStorage.getItem("sizes") ?? "[]");
      if (data.size > 0) sessionStorage.setItem("sizes", JSON.stringify([...sizes, data.size]));
    });
    return start.apply(this, rest);
  };
"""

PIECES_FILMED = 'JSON.parse(sessionStorage.getItem("sizes") ?? "[]").length'
PIECES_LEFT = """
  new Promise((resolve, reject) => {
    const request = indexedDB.open("studio", 1);
    request.onerror = () => reject(request.error);
    request.onsuccess = () => {
      const count = request.result.transaction("pieces").objectStore("pieces").count();
      count.onsuccess = () => resolve(count.result);
    };
  })
"""

# The bytes of all pieces from a number on that this browser keeps.
BYTES_KEPT = """
  (first) => new Promise((resolve, reject) => {
    const request = indexedDB.open("studio", 1);
    request.onerror = () => reject(request.error);
    request.onsuccess = () => {
      const pieces = request.result.transaction("pieces").objectStore("pieces").getAll();
      pieces.onsuccess = () => {
        const kept = pieces.result.filter(({ seq }) => seq >= first);
        resolve(kept.reduce((sum, { bytes }) => sum + bytes.byteLength, 0));
      };
    };
  })
"""

# The test browser says yes to everything; here the person said no to the camera.
REFUSE_THE_CAMERA = """
  const allow = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices);
  navigator.mediaDevices.getUserMedia = async (wanted) => {
    if (wanted.video) throw new DOMException("Permission denied", "NotAllowedError");
    return allow(wanted);
  };
"""


def stored(site: Site, session: WebinarSession) -> list[tuple[int, int]]:
    """Of every take, in order: how many pieces are on disk and how many bytes."""
    shelf = media_shelf(site.config)
    with open_db() as db:
        broadcast = db.scalars(select(Broadcast).where(Broadcast.session_id == session.id)).one()
        numbers = db.scalars(
            select(BroadcastTake.number)
            .where(BroadcastTake.broadcast_id == broadcast.id)
            .order_by(BroadcastTake.number)
        ).all()
    return [
        (
            shelf.takes.next_seq(broadcast.public_id, number),
            shelf.takes.length(broadcast.public_id, number),
        )
        for number in numbers
    ]


def test_the_studio_keeps_what_it_films_while_the_network_is_away(
    site: Site, browser: Browser
) -> None:
    session, speaker, _ = season(datetime.now(UTC))
    studio = page_of(browser, site, speaker)
    studio.add_init_script(REMEMBER_PIECES)
    studio.goto(f"/studio/{session.public_id}")
    go_live = studio.get_by_role("button", name="Go live")
    expect(go_live).to_be_enabled()
    go_live.click()
    sending = studio.locator("[data-part=sending]")
    expect(sending).to_have_text("fine")
    studio.wait_for_timeout(2_000)

    studio.context.set_offline(True)
    expect(sending).to_contain_text("nothing lost")
    expect(studio.get_by_text("No connection. Nothing is lost")).to_be_visible()
    before = studio.evaluate(PIECES_FILMED)
    studio.wait_for_timeout(20_000)
    # It goes on filming, as fast as this machine can.
    wait_for(studio, f"{PIECES_FILMED} >= {before + 40}")
    still_on_air = studio.get_by_text("On air", exact=True).is_visible()
    studio.context.set_offline(False)
    expect(sending).to_have_text("fine")

    studio.get_by_role("button", name="Stop").click()
    studio.get_by_role("button", name="End the session").click()
    expect(studio.get_by_text("The broadcast has ended")).to_be_visible()
    filmed = json.loads(studio.evaluate("sessionStorage.getItem('sizes')"))
    studio.context.close()

    assert still_on_air is True
    # Not their number: a first piece too small to begin a video is sent with the second.
    assert [size for _, size in stored(site, session)] == [sum(filmed)]


def test_a_reload_and_a_network_away_in_the_middle_lose_nothing(
    site: Site, browser: Browser
) -> None:
    session, speaker, _ = season(datetime.now(UTC))
    studio = page_of(browser, site, speaker)
    studio.add_init_script(REMEMBER_PIECES)
    asked: list[str] = []
    studio.on("dialog", lambda dialog: (asked.append(dialog.type), dialog.accept()))
    studio.goto(f"/studio/{session.public_id}")
    go_live = studio.get_by_role("button", name="Go live")
    expect(go_live).to_be_enabled()
    go_live.click()
    sending = studio.locator("[data-part=sending]")
    expect(sending).to_have_text("fine")

    # Pieces go nowhere any more, but the page can be had again: it is killed with them unsent.
    studio.route("**/chunks/*", lambda route: route.abort())
    expect(sending).to_contain_text("nothing lost")
    filmed_so_far = studio.evaluate(PIECES_FILMED)
    wait_for(studio, f"{PIECES_FILMED} >= {filmed_so_far + 10}")
    before_reload = json.loads(studio.evaluate("sessionStorage.getItem('sizes')"))
    [(next_seq, reached)] = stored(site, session)
    unsent = sum(before_reload) - reached
    wait_for(studio, f"({BYTES_KEPT})({next_seq}).then((kept) => kept >= {unsent})")
    studio.reload()
    expect(studio.get_by_text("On air, not sending", exact=True)).to_be_visible()
    by_first_page = json.loads(studio.evaluate("sessionStorage.getItem('sizes')"))
    studio.unroute("**/chunks/*")
    go_on = studio.get_by_role("button", name="Go on sending")
    expect(go_on).to_be_enabled()
    go_on.click()
    expect(studio.get_by_text("On air", exact=True)).to_be_visible()
    expect(sending).to_have_text("fine")
    studio.get_by_role("button", name="Stop").click()
    studio.keyboard.press("Escape")
    stays_on_air = studio.get_by_text("On air", exact=True).is_visible()
    studio.get_by_role("button", name="Stop").click()
    studio.get_by_role("button", name="End the session").click()
    expect(studio.get_by_text("The broadcast has ended")).to_be_visible()
    filmed = json.loads(studio.evaluate("sessionStorage.getItem('sizes')"))
    left = studio.evaluate(PIECES_LEFT)
    studio.context.close()

    first, second = stored(site, session)
    assert asked == ["beforeunload"]
    assert stays_on_air is True
    # What this reload had to bring: several seconds that were nowhere but in the browser.
    assert unsent >= sum(before_reload[-6:])
    assert first[1] >= sum(before_reload)
    # At most the one piece that was handed over in the very moment in which the page went.
    assert sum(by_first_page) - first[1] in (0, by_first_page[-1])
    assert second[1] == sum(filmed) - sum(by_first_page)
    assert left == 0


def test_a_speaker_whose_camera_is_refused_goes_on_air_with_sound_alone(
    site: Site, browser: Browser
) -> None:
    session, speaker, participant = season(datetime.now(UTC))
    studio = page_of(browser, site, speaker)
    studio.add_init_script(REFUSE_THE_CAMERA)
    watcher = page_of(browser, site, participant)

    studio.goto(f"/studio/{session.public_id}")
    expect(studio.get_by_role("alert")).to_contain_text("may not use your camera")
    expect(studio.get_by_text("People see a drawing of your voice.")).to_be_visible()
    studio.get_by_role("button", name="Go live").click()
    expect(studio.get_by_text("People hear you, about six seconds later.")).to_be_visible()
    watcher.goto(f"/sessions/{session.public_id}/live")
    wait_until_time_passes(watcher, 2)

    studio.context.close()
    watcher.context.close()
