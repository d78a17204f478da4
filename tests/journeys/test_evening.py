"""One evening, end to end: planned, broadcast, watched, credited, recorded, closed."""

import re
import time
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from io import BytesIO

import pytest
import time_machine
from playwright.sync_api import Browser, Page, expect
from pypdf import PdfReader
from sqlalchemy import select

from tests.builders import make_society, make_user
from tests.components.smtp import SmtpSink
from tests.journeys.browsing import page_of, wait_for, wait_until_time_passes
from tests.journeys.conftest import Site
from webinar.db import open_db, read_db
from webinar.domain.access import Role
from webinar.domain.attendance import ViewingMode
from webinar.domain.credit import GrantStatus
from webinar.domain.recording import RecordingState
from webinar.domain.timezone import to_local
from webinar.models import (
    AccreditationGrant,
    Accreditor,
    CreditPolicy,
    Recording,
    User,
    WebinarSession,
)

# On SQLite the evening of the media pipeline is walked.
pytestmark = pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)

TITLE = "Margins in breast-conserving surgery"
WATCHED_SECONDS = 20
# So much of what was on air has been watched when it ends, and more than enough for the policy: on
# a slow machine the picture comes later, and the evening is longer.
WATCHED_SHARE = 0.7
# The evening of the test is half a minute long: half of what was really on air is enough.
POLICY = {
    "mode": "live",
    "window": "actual",
    "award": "flat",
    "min_presence": 0.5,
    "evaluation_required": True,
    "test_required": False,
    "cap": "grant",
}


def test_one_evening_from_the_plan_to_the_closed_window(
    site: Site, browser: Browser, smtp: SmtpSink
) -> None:
    with open_db.begin() as db:
        organiser = make_user(db, "organiser@example.net", roles=(Role.ORGANISER,))
        speaker = make_user(db, "speaker@example.net", name="Prof Elena Marchetti")
        make_society(db, "academy")

    public_id = plan_and_publish(page_of(browser, site, organiser), now=datetime.now(UTC))
    accredit(public_id)
    participant = page_of(browser, site)
    register_and_confirm(participant, smtp)
    studio = page_of(browser, site, speaker)
    broadcast_and_watch(studio, participant, public_id)
    evaluate(participant, public_id)
    number = fetch_certificate(participant)
    stranger_verifies(page_of(browser, site), number)
    urls = watch_the_recording(participant, public_id)
    after_the_window_everything_is_gone(participant, site, public_id, urls)


def plan_and_publish(page: Page, *, now: datetime) -> str:
    """The organiser's part: a series by rule, its dates, one session with words and faculty."""
    zone = next(z for z in ("Europe/Zurich", "Asia/Tokyo") if 1 <= to_local(now, z).hour < 22)
    starts = to_local(now, zone).replace(second=0, microsecond=0) + timedelta(minutes=10)
    page.goto("/manage/")
    page.goto("/manage/series/new")
    page.get_by_label("Name", exact=True).fill("e-grandrounds")
    page.get_by_label("Society", exact=True).select_option(index=0)
    page.get_by_label("Repeats").select_option(label="every week")
    page.get_by_label("On", exact=True).select_option(label=f"{starts:%A}")
    page.get_by_label("Starts at").fill(f"{starts:%H:%M}")
    page.get_by_label("Minutes").fill("45")
    page.get_by_label("First day").fill(f"{starts:%Y-%m-%d}")
    page.get_by_label("Time zone").select_option(zone)
    page.get_by_role("button", name="Create the series").click()
    page.get_by_label("Last day of the plan").fill(f"{starts + timedelta(days=22):%Y-%m-%d}")
    page.get_by_role("button", name="Show the dates").click()
    page.get_by_role("button", name="Plan 4 drafts").click()

    page.get_by_role("link", name="To be announced").first.click()
    page.get_by_label("Title").fill(TITLE)
    page.get_by_label("Abstract").fill("What a general surgeon should change on Monday morning.")
    page.get_by_label("Learning objectives").fill("Know which margin is enough.")
    person = page.get_by_role("group", name="Person 1")
    person.get_by_label("Part").select_option(label="Presenter")
    person.get_by_label("Name").fill("Prof Elena Marchetti")
    person.get_by_label("E-mail").fill("speaker@example.net")
    person.get_by_label("Disclosure").fill("None.")
    page.get_by_role("button", name="Add another person").click()
    person = page.get_by_role("group", name="Person 2")
    person.get_by_label("Part").select_option(label="Moderator")
    person.get_by_label("Name").fill("Dr Jonas Weber")
    person.get_by_label("Disclosure").fill("None.")
    page.get_by_role("button", name="Save", exact=True).click()
    page.get_by_role("button", name="Publish the session").click()
    page.get_by_role("link", name="Public page").click()
    expect(page.get_by_role("heading", name=TITLE)).to_be_visible()
    page.context.close()
    return page.url.rpartition("/")[2]


def accredit(public_id: str) -> None:
    """A body grants the session one credit, by a policy scaled to the length of this test."""
    now = datetime.now(UTC)
    with open_db.begin() as db:
        session = db.scalars(
            select(WebinarSession).where(WebinarSession.public_id == public_id)
        ).one()
        body = Accreditor(slug="demo", name="Demo Council", short_name="CME", unit="credit")
        policy = CreditPolicy(name="one-minute-live", version=1, data=POLICY, created_at=now)
        db.add(
            AccreditationGrant(
                session=session,
                accreditor=body,
                policy=policy,
                mode=ViewingMode.LIVE,
                status=GrantStatus.GRANTED,
                credits_granted=Decimal("1"),
                reference="DC-2026-17",
                statement_granted="Accredited by the Demo Council with 1 credit.",
            )
        )


def register_and_confirm(page: Page, smtp: SmtpSink) -> None:
    """A stranger finds the session, registers free, confirms by mail and has a place."""
    page.goto("/sessions/")
    page.get_by_role("link", name=TITLE).first.click()
    page.get_by_text("Register free and join").first.click()
    page.get_by_label("Name").fill("Dr Anna Keller")
    page.get_by_label("E-mail").fill("anna@example.net")
    page.get_by_label("Country").select_option("CH")
    page.get_by_label("Profession").select_option(index=1)
    page.get_by_label("Password").fill("a long password of mine")
    page.get_by_role("button", name="Register free").click()
    expect(page.get_by_role("heading", name="Check your mail")).to_be_visible()
    smtp.wait_for(1)
    body = smtp.messages[0].get_body(("plain",))
    assert body is not None
    link = re.search(r"http://\S+/verify-email/\S+", body.get_content())
    assert link is not None
    page.goto(link.group())
    page.get_by_role("button", name="Confirm and go on").click()
    page.goto("/my/")
    expect(page.get_by_text(TITLE).first).to_be_visible()


def broadcast_and_watch(studio: Page, participant: Page, public_id: str) -> None:
    """Half a minute on air from a fake camera; the participant sees it move and asks."""
    began = time.monotonic()
    participant.goto(f"/sessions/{public_id}/live")
    expect(participant.get_by_text("You are in the right place")).to_be_visible()
    studio.goto(f"/studio/{public_id}")
    go_live = studio.get_by_role("button", name="Go live")
    expect(go_live).to_be_enabled()
    go_live.click()
    expect(studio.get_by_text("On air", exact=True)).to_be_visible()

    wait_until_time_passes(participant, 5)  # the picture comes by itself
    participant.get_by_label("Your question").fill("Is no ink on tumour enough?")
    participant.get_by_role("button", name="Send").click()
    expect(participant.get_by_text("Sent to the moderator")).to_be_visible()
    wait_until_time_passes(participant, WATCHED_SECONDS - 5, within=60)
    watched = WATCHED_SHARE * (time.monotonic() - began) - WATCHED_SECONDS
    if watched > 0:
        wait_until_time_passes(participant, watched / (1 - WATCHED_SHARE), within=120)

    studio.get_by_role("button", name="Stop").click()
    studio.get_by_role("button", name="End the session").click()
    expect(studio.get_by_text("The broadcast has ended")).to_be_visible()
    expect(participant.get_by_role("link", name="Watch the recording")).to_be_visible(
        timeout=60_000
    )


def evaluate(page: Page, public_id: str) -> None:
    """The evaluation form; a second one is refused."""
    page.goto(f"/sessions/{public_id}/evaluation")
    for question in page.get_by_role("group").all():
        radios = question.get_by_role("radio")
        if radios.count():
            radios.first.check()
    page.get_by_role("button", name=re.compile("Send")).click()
    expect(page.get_by_role("heading", level=1)).to_be_visible()
    page.goto(f"/sessions/{public_id}/credit")
    expect(page.get_by_text("counted").first).to_be_visible()


def fetch_certificate(page: Page) -> str:
    """The decision, in a sentence, and the certificate with its number."""
    for _ in range(60):
        page.goto("/my/")
        if page.locator("a[href$='.pdf']").count():
            break
        page.wait_for_timeout(500)
    link = page.locator("a[href$='.pdf']").first
    assert link.count() == 1, page.get_by_role("main").inner_text()
    href = link.get_attribute("href")
    assert href is not None
    answer = page.request.get(href)
    assert answer.headers["content-type"] == "application/pdf"
    text = PdfReader(BytesIO(answer.body())).pages[0].extract_text()
    number = href.rpartition("/")[2].removesuffix(".pdf")
    assert number in text
    assert "Dr Anna Keller" in text
    return number


def stranger_verifies(page: Page, number: str) -> None:
    """Anybody checks the number, by its form."""
    page.goto("/verify/")
    page.get_by_label(re.compile("number", re.I)).fill(number.lower())
    page.get_by_role("button", name="Verify", exact=True).click()
    expect(page.get_by_text("Dr Anna Keller")).to_be_visible()
    expect(page.get_by_text(TITLE).first).to_be_visible()
    page.context.close()


def watch_the_recording(page: Page, public_id: str) -> list[str]:
    """It plays, and plays on after seeking; every address it used is remembered."""
    urls: list[str] = []
    page.on("request", lambda request: urls.append(request.url))
    page.goto(f"/sessions/{public_id}/recording")
    page.evaluate("document.querySelector('video').play()")
    wait_until_time_passes(page, 2)
    page.evaluate("document.querySelector('video').currentTime = 15")
    wait_for(page, "document.querySelector('video').currentTime > 16")
    media = [url for url in urls if "/recordings/" in url]
    kinds = ("recording.m3u8", "/keys/", "/segments/")
    return [next(url for url in media if kind in url) for kind in kinds]


def after_the_window_everything_is_gone(
    page: Page, site: Site, public_id: str, urls: list[str]
) -> None:
    """At closes_at: 410 on the page, the playlist, the key and the segment, by old addresses."""
    with read_db() as db:
        recording = db.scalars(
            select(Recording).join(WebinarSession).where(WebinarSession.public_id == public_id)
        ).one()
        person = db.scalars(select(User).where(User.email == "anna@example.net")).one()
    closes_at = recording.closes_at
    assert recording.state is RecordingState.PUBLISHED
    assert closes_at is not None
    addresses = [f"/sessions/{public_id}/recording", *urls]

    before = [page.request.get(url).status for url in addresses]
    with time_machine.travel(closes_at):
        page.context.add_cookies([site.cookie_for(person)])  # the old sign-in has run out by then
        after = [page.request.get(url).status for url in addresses]

    assert before == [200] * 4
    assert after == [410] * 4
