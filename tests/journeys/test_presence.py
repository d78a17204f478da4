"""What a browser tells of a picture that plays, jumps, and goes on while the network is away."""

from datetime import UTC, datetime, timedelta

import pytest
from playwright.sync_api import BrowserContext, Page
from sqlalchemy import select

from tests.builders import make_registration, make_user
from tests.conftest import SECRET
from tests.evidence import make_ended_session, make_recording
from tests.journeys.browsing import wait_for
from tests.journeys.conftest import Site
from webinar.db import open_db
from webinar.domain.attendance import (
    RECORDED_PASS_LASTS,
    PassFacts,
    ViewingMode,
    pass_id_from,
    sign_pass,
)
from webinar.domain.span import Span
from webinar.models import Recording, User, WatchSegment, WebinarSession
from webinar.services import attendance

# A picture without a film: it plays by the clock, and keeps its own account of what it showed.
PICTURE = """
async ({ passUrl }) => {
  class Picture extends EventTarget {
    paused = true; seeking = false; readyState = 4; playbackRate = 1; at = 0; since = 0; shown = [];
    get time() { return this.paused ? this.at : this.at + performance.now() - this.since; }
    tell(kind) { this.dispatchEvent(new Event(kind)); }
    play() {
      this.since = performance.now(); this.from = this.at; this.paused = false;
      this.tell("playing");
    }
    stop() {
      const to = this.time;
      this.shown.push([this.from, to]);
      this.at = to; this.paused = true;
    }
    pause() { this.stop(); this.tell("pause"); }
    seek(to) { this.stop(); this.at = to; this.tell("seeking"); this.play(); }
  }
  const { startPresence } = await import("/static/js/presence.js");
  const picture = (window.picture = new Picture());
  window.presence = startPresence(picture, {
    passUrl, mode: "recorded", programmeTime: () => picture.time,
    onCounted: (counted) => (window.counted = counted),
    onClosed: () => (window.hasEnded = true),
  });
}
"""


def recorded(db_now: datetime) -> tuple[WebinarSession, User]:
    with open_db.begin() as db:
        session = make_ended_session(db)
        recording = make_recording(db, session, closes_at=db_now + timedelta(days=3))
        recording.opens_at = db_now - timedelta(days=1)
        user = make_user(db)
        make_registration(db, session, user)
    return session, user


def start(page: Page, session: WebinarSession) -> None:
    page.goto(f"/sessions/{session.public_id}/credit")
    page.evaluate(PICTURE, {"passUrl": f"/sessions/{session.public_id}/pass"})
    wait_for(page, "window.presence.pass !== null")


def counted_seconds(session: WebinarSession, user: User) -> float:
    with open_db() as db:
        viewing = attendance.viewing_of(db, session.id, user.id, ViewingMode.RECORDED)
    return sum(span.end - span.start for span in viewing.spans())


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_what_was_shown_counts_even_if_the_network_was_away(
    site: Site, context: BrowserContext
) -> None:
    session, user = recorded(datetime.now(UTC))
    context.add_cookies([site.cookie_for(user)])
    page = context.new_page()
    start(page, session)

    page.evaluate("picture.play()")
    page.wait_for_timeout(3_500)
    page.evaluate("picture.seek(600_000)")
    page.wait_for_timeout(1_500)
    context.set_offline(True)
    page.wait_for_timeout(1_500)
    page.evaluate("picture.pause()")
    shown = page.evaluate("picture.shown")
    kept = page.evaluate("Object.keys(localStorage).filter((k) => k.startsWith('beats:')).length")
    before = counted_seconds(session, user)
    context.set_offline(False)
    # The tab was closed while the network was away; the next page sends what waits.
    start(page, session)
    wait_for(page, "!Object.keys(localStorage).some((key) => key.startsWith('beats:'))")

    played = sum(end - begin for begin, end in shown) / 1000
    assert kept == 1
    assert before < played
    assert abs(counted_seconds(session, user) - played) < 1.5
    with open_db() as db:
        ends = db.scalars(select(WatchSegment.to_ms).order_by(WatchSegment.number)).all()
    assert abs(ends[-1] - shown[-1][1]) < 1_000


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_a_page_left_open_for_a_week_gets_another_pass_and_loses_no_second(
    site: Site, context: BrowserContext
) -> None:
    now = datetime.now(UTC)
    session, user = recorded(now)
    a_week_old = PassFacts(
        pass_id=pass_id_from(bytes(16)),
        user_id=user.id,
        session_id=session.id,
        mode=ViewingMode.RECORDED,
        issued_at=now - RECORDED_PASS_LASTS,
        expires_at=now + timedelta(days=3),
        window=Span(0, 2700),
    )
    context.add_cookies([site.cookie_for(user)])
    page = context.new_page()
    start(page, session)

    page.evaluate("(old) => { presence.pass = old; }", sign_pass(SECRET.encode(), a_week_old))
    page.evaluate("picture.play()")
    page.wait_for_timeout(4_500)
    page.evaluate("picture.pause()")
    wait_for(page, "!Object.keys(localStorage).some((key) => key.startsWith('beats:'))")

    shown = page.evaluate("picture.shown")
    played = sum(end - begin for begin, end in shown) / 1000
    assert abs(counted_seconds(session, user) - played) < 1.0


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
def test_a_closed_window_ends_the_counting(site: Site, context: BrowserContext) -> None:
    session, user = recorded(datetime.now(UTC))
    context.add_cookies([site.cookie_for(user)])
    page = context.new_page()
    start(page, session)
    page.evaluate("picture.play()")
    wait_for(page, "window.counted?.countedSeconds >= 1")
    with open_db.begin() as db:
        db.scalars(select(Recording)).one().closes_at = datetime.now(UTC) - timedelta(hours=1)

    page.evaluate("presence.renew(presence.pass)")

    wait_for(page, "window.hasEnded === true")
    assert page.evaluate("presence.isClosed")
