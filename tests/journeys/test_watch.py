"""Viewers: three pictures of one live session and how late they are; then its recording."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from statistics import median

import pytest
from playwright.sync_api import Browser, Page, expect
from sqlalchemy import select

from tests.builders import make_registration, make_user
from tests.journeys.browsing import follow, page_of, season, wait_for, wait_until_time_passes
from tests.journeys.conftest import Site
from webinar.db import DbSession, open_db
from webinar.models import (
    Broadcast,
    Recording,
    RecordingCaption,
    RecordingChapter,
    User,
    WebinarSession,
)
from webinar.tools import media_shelf

VIDEO = "document.querySelector('video')"

# The camera is a clock: the time in steps of 20 ms as sixteen black or white fields, and below
# them the same fields the other way round, so that a frame that is half drawn is not read.
FILM_A_CLOCK = """
  const canvas = Object.assign(document.createElement("canvas"), { width: 640, height: 360 });
  const draw = canvas.getContext("2d");
  const field = (index, row, isWhite) => {
    draw.fillStyle = isWhite ? "white" : "black";
    draw.fillRect((index % 8) * 80, (row + Math.floor(index / 8)) * 90, 80, 90);
  };
  setInterval(() => {
    const step = Math.floor(Date.now() / 20) % 65536;
    for (let index = 0; index < 16; index += 1) {
      const isWhite = (step >> index) % 2 === 1;
      field(index, 0, isWhite);
      field(index, 2, !isWhite);
    }
  }, 40);
  const film = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices);
  navigator.mediaDevices.getUserMedia = async (wanted) => {
    const stream = wanted.audio ? await film({ audio: wanted.audio }) : new MediaStream();
    if (wanted.video) stream.addTrack(canvas.captureStream(25).getVideoTracks()[0]);
    return stream;
  };
"""
# Seconds between filming and showing, or null where the fields cannot be read.
READ_THE_CLOCK = """
() => {
  const canvas = Object.assign(document.createElement("canvas"), { width: 640, height: 360 });
  const draw = canvas.getContext("2d", { willReadFrequently: true });
  draw.drawImage(document.querySelector("video"), 0, 0, 640, 360);
  const brightness = (index, row) => {
    const [x, y] = [(index % 8) * 80 + 40, (row + Math.floor(index / 8)) * 90 + 45];
    return draw.getImageData(x, y, 1, 1).data[1];
  };
  let step = 0;
  for (let index = 0; index < 16; index += 1) {
    const [plain, inverse] = [brightness(index, 0), brightness(index, 2)];
    if (Math.abs(plain - inverse) < 96) return null;
    if (plain > inverse) step += 2 ** index;
  }
  const now = Math.floor(Date.now() / 20) % 65536;
  return ((now - step + 65536) % 65536) * 0.02;
}
"""


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)  # nothing here is about SQL
def test_viewers_choose_their_picture_live_and_find_everything_in_the_recording(
    site: Site, browser: Browser, record_property: Callable[[str, object], None]
) -> None:
    session, speaker, participant = season(datetime.now(UTC))
    studio = go_on_air(browser, site, speaker, session)
    whole = watch(browser, site, session, participant)
    small = watch(browser, site, session, guest_of(session), picture="low")
    sound = watch(browser, site, session, guest_of(session), picture="audio")

    latency = measure(whole)
    record_property("glass_to_glass_seconds", latency)

    assert size_of(small) == [640, 360]
    assert size_of(sound) == [0, 0]
    expect(sound.get_by_text("Sound only", exact=True).first).to_be_visible()
    wait_until_time_passes(sound, 1)
    goes_back_and_comes_to_live(whole)
    sees_a_break(whole, session)
    small.context.close()
    sound.context.close()
    end(studio)
    expect(whole.get_by_role("link", name="Watch the recording")).to_be_visible(timeout=60_000)
    studio.context.close()

    dress(site, session)
    follow(whole, "Watch the recording")
    walks_by_keys(whole)
    reads_captions_and_chapters(whole)
    place = leaves(whole)
    another = goes_on_elsewhere(browser, site, session, participant, place)
    is_told_that_it_closed(another, session)


def guest_of(session: WebinarSession) -> User:
    with open_db.begin() as db:
        user = make_user(db)
        make_registration(db, db.get_one(WebinarSession, session.id), user)
    return user


def go_on_air(browser: Browser, site: Site, speaker: User, session: WebinarSession) -> Page:
    studio = page_of(browser, site, speaker)
    studio.add_init_script(FILM_A_CLOCK)
    studio.goto(f"/studio/{session.public_id}")
    go_live = studio.get_by_role("button", name="Go live")
    expect(go_live).to_be_enabled()
    go_live.click()
    expect(studio.get_by_text("On air", exact=True)).to_be_visible()
    return studio


def watch(
    browser: Browser, site: Site, session: WebinarSession, user: User, *, picture: str = "automatic"
) -> Page:
    page = page_of(browser, site, user)
    page.add_init_script(f"localStorage.setItem('picture', '{picture}')")
    page.goto(f"/sessions/{session.public_id}/live")
    wait_until_time_passes(page, 1)
    return page


def size_of(page: Page) -> list[int]:
    size: list[int] = page.evaluate(f"[{VIDEO}.videoWidth, {VIDEO}.videoHeight]")
    return size


def measure(page: Page) -> float:
    """The median of some seconds, after the picture has found its distance."""
    page.wait_for_timeout(2_000)
    read = []
    for _ in range(12):
        page.wait_for_timeout(250)
        if (seconds := page.evaluate(READ_THE_CLOCK)) is not None:
            read.append(seconds)
    assert read != []
    return float(median(read))


def goes_back_and_comes_to_live(page: Page) -> None:
    button = page.get_by_role("button", name="Go to live")
    wait_for(page, f"{VIDEO}.currentTime - {VIDEO}.seekable.start(0) > 9")
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("ArrowLeft")
    expect(button).to_be_visible()
    before = page.evaluate(f"{VIDEO}.currentTime")
    page.keyboard.press("l")
    expect(button).to_be_hidden()
    assert page.evaluate(f"{VIDEO}.currentTime") > before + 3


def sees_a_break(page: Page, session: WebinarSession) -> None:
    card = page.get_by_role("heading", name="A technical break")
    set_break(session, datetime.now(UTC))
    expect(card).to_be_visible()
    set_break(session, None)
    expect(card).to_be_hidden()


def set_break(session: WebinarSession, since: datetime | None) -> None:
    with open_db.begin() as db:
        broadcast = db.scalars(select(Broadcast).where(Broadcast.session_id == session.id)).one()
        broadcast.break_since = since


def end(studio: Page) -> None:
    studio.get_by_role("button", name="Stop").click()
    studio.get_by_role("button", name="End the session").click()
    expect(studio.get_by_text("The broadcast has ended")).to_be_visible()


def dress(site: Site, session: WebinarSession) -> None:
    """Two chapters and captions in two languages."""
    now = datetime.now(UTC)
    with open_db.begin() as db:
        recording = recording_of(db, session)
        for seconds, title in ((0, "Welcome"), (6, "The trials")):
            db.add(RecordingChapter(recording_id=recording.id, starts_seconds=seconds, title=title))
        for language, label, words in (
            ("de", "Deutsch", "Guten Abend."),
            ("en", "English", "Good evening."),
        ):
            name = f"recordings/{recording.public_id}/captions-{language}-1.vtt"
            text = f"WEBVTT\n\n00:00:00.000 --> 00:10:00.000\n{words}\n"
            media_shelf(site.config).storage.put(name, text.encode())
            db.add(
                RecordingCaption(
                    recording_id=recording.id,
                    language=language,
                    label=label,
                    name=name,
                    cues=1,
                    made_by_id=1,
                    made_at=now,
                    changed_at=now,
                )
            )


def walks_by_keys(page: Page) -> None:
    wait_for(page, f"{VIDEO}.readyState >= 2")
    page.keyboard.press("k")
    wait_until_time_passes(page, 1)
    page.keyboard.press(">")
    faster = page.evaluate(f"{VIDEO}.playbackRate")
    page.keyboard.press("<")
    page.keyboard.press("m")
    muted = page.evaluate(f"{VIDEO}.muted")
    page.get_by_role("button", name="Ahead 15 s").click()
    wait_for(page, f"{VIDEO}.currentTime >= 15")
    page.get_by_label("Speed").select_option("1.5")
    page.keyboard.press("?")
    expect(page.get_by_role("dialog", name="Keys")).to_be_visible()
    page.keyboard.press("Escape")

    assert faster == 1.25
    assert muted is True
    assert page.evaluate(f"{VIDEO}.playbackRate") == 1.5


def reads_captions_and_chapters(page: Page) -> None:
    page.get_by_label("Captions").select_option("de")
    cue = f"[...{VIDEO}.textTracks].find((t) => t.mode === 'showing')?.activeCues?.[0]?.text"
    wait_for(page, f"{cue} === 'Guten Abend.'")
    # It plays on from there: where it went is what counts, not where it is when one looks.
    page.evaluate(
        f"{VIDEO}.addEventListener('seeking', ({{ target }}) =>"
        " (window.sought ??= []).push(target.currentTime))"
    )
    page.get_by_role("button", name="The trials").click()
    wait_for(page, "window.sought?.some((place) => Math.abs(place - 6) < 0.5)")
    expect(page.locator("[data-chapter][aria-current]")).to_contain_text("The trials")


def leaves(page: Page) -> float:
    with page.expect_response(lambda answer: answer.url.endswith("/recording/place")):
        page.evaluate(f"{VIDEO}.pause()")
    place = float(page.evaluate(f"{VIDEO}.currentTime"))
    page.context.close()
    return place


def goes_on_elsewhere(
    browser: Browser, site: Site, session: WebinarSession, user: User, place: float
) -> Page:
    page = page_of(browser, site, user)
    page.goto(f"/sessions/{session.public_id}/recording")
    expect(page.get_by_text("You were at 0:")).to_be_visible()
    assert abs(page.evaluate(f"{VIDEO}.currentTime") - place) < 1
    return page


def is_told_that_it_closed(page: Page, session: WebinarSession) -> None:
    """The window moves while the page is open: the page hears of it and ends with it."""
    page.evaluate(f"{VIDEO}.play()")
    wait_until_time_passes(page, 0.5)
    with open_db.begin() as db:
        recording_of(db, session).closes_at = datetime.now(UTC) + timedelta(seconds=3)
    page.evaluate(f"{VIDEO}.pause()")
    expect(page.get_by_role("heading", name="This recording has closed")).to_be_visible()
    page.context.close()


def recording_of(db: DbSession, session: WebinarSession) -> Recording:
    return db.scalars(select(Recording).where(Recording.session_id == session.id)).one()
