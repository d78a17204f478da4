"""From a recording nobody has seen to one that is watched: trimmed, named, captioned, published."""

import pytest
from playwright.sync_api import Browser, Page, expect
from sqlalchemy import select

from tests.builders import make_user
from tests.journeys.browsing import follow, page_of, wait_for, wait_until_time_passes
from tests.journeys.conftest import Site
from tests.recorded import make_recorded
from webinar.db import open_db, read_db
from webinar.domain.access import Role
from webinar.domain.span import Span, union
from webinar.models import Recording, WatchSegment

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)

VIDEO = "document.querySelector('video')"
# At half speed there is twice the time to look and to stop before the picture is too far.
SLOWLY = "playbackRate = 0.5"
PLAY_UNTIL = """
  (until) => new Promise((resolve, reject) => {
    const video = document.querySelector("video");
    setTimeout(() => reject(new Error(`it stands at ${video.currentTime}`)), 60_000);
    video.addEventListener("timeupdate", () => {
      if (video.currentTime <= until) return;
      video.pause();
      resolve();
    });
    video.play();
  })
"""
VTT = b"WEBVTT\n\n00:01.000 --> 00:03.000\nGood evning\n\n00:05.000 --> 00:07.500\nThe node\n"


def test_a_recording_is_trimmed_named_captioned_published_and_seen(
    site: Site, browser: Browser
) -> None:
    with open_db() as db:
        recording, viewer = make_recorded(db, site.config.DATA_DIR)
        organiser = make_user(db, roles=(Role.ORGANISER,))
        db.commit()
        session_id = recording.session.public_id
    desk = page_of(browser, site, organiser)
    desk.goto(f"/manage/sessions/{session_id}/recording")

    trim_with_keys(desk)
    add_a_chapter_with_a_key(desk)
    correct_a_caption(desk)
    publish(desk)

    with read_db() as db:
        assert db.get_one(Recording, recording.id).kept == [[4000, 16000]]
    page = page_of(browser, site, viewer)
    watch(page, session_id)
    hears_of_a_cut_while_watching(page, recording)
    plays_over_the_cut(page)
    before_cut, after_cut, _seen_first = evidence_in_source_time(page)
    assert (before_cut.end, after_cut.start) == (8000, 12000)


def trim_with_keys(desk: Page) -> None:
    """Until then it can be looked at by who may publish it."""
    wait_for(desk, "document.querySelector('video').readyState >= 2")
    desk.get_by_role("button", name="+5 s").click()
    desk.keyboard.press("[")
    expect(desk.get_by_label("Begin at")).to_have_value("0:05")
    desk.get_by_role("button", name="Trim").click()
    expect(desk.get_by_text("begins at 0:04 and ends at 0:16")).to_be_visible()
    expect(desk.get_by_text("The beginning, up to 0:04")).to_be_visible()


def add_a_chapter_with_a_key(desk: Page) -> None:
    wait_for(desk, "document.querySelector('video').readyState >= 2")
    assert round(desk.evaluate("document.querySelector('video').duration")) == 12
    desk.get_by_role("button", name="+5 s").click()
    desk.locator("#chapters-title").click()
    desk.keyboard.press("c")
    desk.keyboard.type("The margin")
    desk.get_by_role("button", name="Save chapters").click()
    expect(desk.get_by_text("1 chapter kept")).to_be_visible()


def correct_a_caption(desk: Page) -> None:
    file = {"name": "talk.vtt", "mimeType": "text/vtt", "buffer": VTT}
    desk.get_by_label("File (.vtt or .srt)").set_input_files(file)
    desk.get_by_role("button", name="Bring in").click()
    expect(desk.get_by_text("2 cues read from WebVTT in UTF-8")).to_be_visible()
    follow(desk, "English")
    wait_for(desk, "document.querySelector('video').readyState >= 1")
    words = desk.get_by_label("Words of cue 1")
    words.fill("Good evening")
    words.press("Control+Enter")
    wait_for(desk, "document.querySelector('video').currentTime >= 1")
    desk.get_by_role("button", name="Save").click()
    expect(desk.get_by_text("1 change kept")).to_be_visible()
    expect(desk.get_by_label("Words of cue 1")).to_have_value("Good evening")
    follow(desk, "Back to the recording")


def publish(desk: Page) -> None:
    desk.get_by_text("Publish the recording").click()
    desk.get_by_role("button", name="Publish it and tell them").click()
    expect(desk.get_by_text("The recording is published")).to_be_visible()


def watch(page: Page, session_id: str) -> None:
    page.goto(f"/sessions/{session_id}/recording")
    wait_for(page, "document.querySelector('video').readyState >= 2")
    assert round(page.evaluate("document.querySelector('video').duration")) == 12
    expect(page.get_by_text("The margin").first).to_be_visible()
    captions = page.evaluate(
        "fetch(document.querySelector('track').src).then((answer) => answer.text())"
    )
    assert "00:00:01.000 --> 00:00:03.000\nGood evening" in captions


def hears_of_a_cut_while_watching(page: Page, recording: Recording) -> None:
    """The page is loaded again, and goes on at the same moment of what was filmed."""
    page.evaluate(f"{VIDEO}.{SLOWLY}")
    page.evaluate(f"{VIDEO}.currentTime = 9.5")
    page.evaluate(f"{VIDEO}.play()")
    wait_until_time_passes(page, 0.5)
    with open_db.begin() as db:
        row = db.get_one(Recording, recording.id)
        row.kept = [[4000, 8000], [12000, 16000]]
    # In one step: the page may be loaded again at any moment from here on.
    before = page.evaluate(f"() => {{ {VIDEO}.pause(); return {VIDEO}.currentTime; }}")
    expect(page.get_by_text("The recording was edited while you watched")).to_be_visible()
    wait_for(page, f"{VIDEO}.readyState >= 2")
    assert round(page.evaluate(f"{VIDEO}.duration")) == 8
    assert abs(page.evaluate(f"{VIDEO}.currentTime") - (before - 4)) < 0.2


def plays_over_the_cut(page: Page) -> None:
    """And stops before it comes to what was seen first."""
    page.evaluate(f"{VIDEO}.{SLOWLY}")
    page.evaluate(f"{VIDEO}.currentTime = 3")
    page.evaluate(PLAY_UNTIL, 4.25)


def evidence_in_source_time(page: Page) -> list[Span[int]]:
    """Before the cut, after it, and what was watched before there was one."""
    spans: list[Span[int]] = []
    for _ in range(300):
        with read_db() as db:
            rows = db.execute(select(WatchSegment.from_ms, WatchSegment.to_ms))
            spans = union(Span(start, end) for start, end in rows)
        if len(spans) > 2:
            break
        page.wait_for_timeout(200)
    return spans
