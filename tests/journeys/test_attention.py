"""“Are you still there?”, on the live page and in the player, by pointer, by keys, on a phone."""

from datetime import UTC, datetime, timedelta

import pytest
from playwright.sync_api import BrowserContext, Page
from sqlalchemy import select

from tests.builders import make_registration, make_session, make_user
from tests.evidence import make_ended_session, make_grant, make_recording, watch
from tests.journeys.browsing import wait_for
from tests.journeys.conftest import Site
from tests.journeys.test_pages import AXE, LOOKS, RUN_AXE
from webinar.db import DbSession, open_db
from webinar.domain.attendance import ViewingMode
from webinar.domain.recording import RecordingState
from webinar.domain.session import SessionStatus
from webinar.models import AttentionCheck, CreditPolicy, Recording, User, WebinarSession

PHONE = {"width": 390, "height": 844}
DESK = {"width": 1280, "height": 800}
# Nothing is filmed here: the page is told that the picture plays, and asks what counts.
PLAYS = "document.querySelector('video').dispatchEvent(new Event('playing'))"
IS_SHOWN = "!document.querySelector('[data-part=attention]').hidden"
WORDS = "document.querySelector('[data-part=attention-words]').textContent"
IN_SIGHT = """(() => {
  const box = document.querySelector("[data-part=attention]");
  const { top, bottom, left, right } = box.getBoundingClientRect();
  return top >= 0 && left >= 0 && bottom <= innerHeight && right <= innerWidth;
})()"""

pytestmark = [
    pytest.mark.browser,
    pytest.mark.parametrize("database_url", ["sqlite"], indirect=True),
]


def on_air(now: datetime) -> tuple[WebinarSession, User]:
    """Forty minutes into a session that wants one of two checks answered; all of it watched."""
    with open_db.begin() as db:
        session = make_session(db, starts_at=now - timedelta(minutes=40), status=SessionStatus.LIVE)
        session.actual_started_at = session.starts_at
        make_grant(db, session, "ch-swisswebinar-live", "1")
        user = make_attending(db, session, ViewingMode.LIVE)
        db.add(
            Recording(
                public_id="onair",
                session_id=session.id,
                state=RecordingState.RECORDING,
                duration_seconds=2400,
                created_at=session.starts_at,
            )
        )
    return session, user


def recorded(now: datetime) -> tuple[WebinarSession, User]:
    """A recording whose credit wants two of three checks answered; all of it watched."""
    with open_db.begin() as db:
        session = make_ended_session(db)
        recording = make_recording(db, session, closes_at=now + timedelta(days=3))
        recording.opens_at = now - timedelta(days=1)
        grant = make_grant(db, session, "acoe-distance", "1")
        rules = {**grant.policy.data, "min_checks_answered": 2}
        grant.policy = CreditPolicy(name="asking", version=1, data=rules, created_at=now)
        user = make_attending(db, session, ViewingMode.RECORDED)
    return session, user


def make_attending(db: DbSession, session: WebinarSession, mode: ViewingMode) -> User:
    user = make_user(db)
    make_registration(db, session, user)
    watch(db, session, user, mode, 0, 2400)
    return user


def asked(site: Site, context: BrowserContext, user: User, path: str, size: dict[str, int]) -> Page:
    """The page once it asks."""
    context.add_cookies([site.cookie_for(user)])
    page = context.new_page()
    page.set_viewport_size({"width": size["width"], "height": size["height"]})
    # Once the script has its pass it listens to the picture.
    with page.expect_response("**/pass"):
        page.goto(path)
    page.evaluate(PLAYS)
    wait_for(page, IS_SHOWN)
    return page


def checks() -> list[AttentionCheck]:
    with open_db() as db:
        return list(db.scalars(select(AttentionCheck).order_by(AttentionCheck.number)))


def test_the_live_page_asks_without_taking_the_focus_and_hears_the_keyboard(
    site: Site, context: BrowserContext
) -> None:
    session, user = on_air(datetime.now(UTC))
    context.add_cookies([site.cookie_for(user)])
    page = context.new_page()
    page.set_viewport_size({"width": DESK["width"], "height": DESK["height"]})
    with page.expect_response("**/pass"):
        page.goto(f"/sessions/{session.public_id}/live")
    title = page.title()
    page.locator("textarea[name=text]").focus()
    page.keyboard.type("How long")
    top = page.evaluate("document.querySelector('.picture').getBoundingClientRect().top")

    page.evaluate(PLAYS)
    wait_for(page, IS_SHOWN)
    asks = page.evaluate(WORDS)
    while_asked = page.title()
    page.keyboard.type(" is follow-up?")
    typed = page.locator("textarea[name=text]").input_value()
    page.locator("video").focus()
    for _ in range(12):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.dataset.part") == "attention-answer":
            break
    page.keyboard.press("Enter")
    wait_for(page, f"{WORDS}.startsWith('Thank you')")

    assert asks.startswith("Are you still there? Press “I am here” within ")
    assert while_asked.startswith("Are you still there?")
    assert typed == "How long is follow-up?"
    assert page.evaluate("document.querySelector('.picture').getBoundingClientRect().top") == top
    assert page.evaluate("document.activeElement.dataset.part") == "attention-close"
    assert page.title() == title
    assert page.locator("[role=status]:has([data-part=attention])").count() == 1
    [check] = checks()
    assert (check.user_id, check.mode, check.number) == (user.id, ViewingMode.LIVE, 1)
    assert check.answered_at is not None


def test_the_player_asks_on_a_phone_and_a_tap_answers(site: Site, context: BrowserContext) -> None:
    session, user = recorded(datetime.now(UTC))
    page = asked(site, context, user, f"/sessions/{session.public_id}/recording", PHONE)

    in_sight = page.evaluate(IN_SIGHT)
    button = page.locator("[data-part=attention-answer]").bounding_box()
    page.mouse.wheel(0, 2_000)
    page.wait_for_timeout(200)
    still_in_sight = page.evaluate(IN_SIGHT)
    page.locator("[data-part=attention-answer]").click()
    wait_for(page, f"{WORDS}.startsWith('Thank you')")

    assert (in_sight, still_in_sight) == (True, True)
    assert button is not None
    assert button["height"] >= 44
    [check] = checks()
    assert (check.mode, check.answered_at is not None) == (ViewingMode.RECORDED, True)


def test_the_letter_answers_and_the_question_is_readable_for_everybody(
    site: Site, context: BrowserContext
) -> None:
    session, user = recorded(datetime.now(UTC))
    page = asked(site, context, user, f"/sessions/{session.public_id}/recording", DESK)
    page.evaluate(AXE)

    heard = []
    for width, theme in LOOKS:
        page.set_viewport_size({"width": width, "height": 844})
        page.emulate_media(color_scheme=theme, reduced_motion="reduce")
        heard += [f"{width} {theme} {line}" for line in page.evaluate(RUN_AXE)]
    page.keyboard.press("h")
    wait_for(page, f"{WORDS}.startsWith('Thank you')")

    assert heard == []
    assert [check.answered_at is not None for check in checks()] == [True]


def test_who_does_not_hear_it_is_called_once_more_and_then_told(
    site: Site, context: BrowserContext
) -> None:
    context.clock.install()
    session, user = recorded(datetime.now(UTC))
    page = asked(site, context, user, f"/sessions/{session.public_id}/recording", DESK)
    title = page.title()

    page.clock.fast_forward(62_000)
    wait_for(page, f"{WORDS} === 'Are you still there? 30 seconds left.'")
    page.clock.fast_forward(30_000)
    wait_for(page, f"{WORDS}.startsWith('No answer came in time')")

    assert title.startswith("Are you still there?")
    assert page.title() == title.removeprefix("Are you still there? ")
    assert page.evaluate("document.activeElement === document.body")
    assert not page.locator("[data-part=attention-answer]").is_visible()
    assert [check.answered_at for check in checks()] == [None]


def test_an_answer_after_the_time_is_refused_in_words(site: Site, context: BrowserContext) -> None:
    session, user = recorded(datetime.now(UTC))
    page = asked(site, context, user, f"/sessions/{session.public_id}/recording", DESK)
    # The time is over on the page and at the server.
    with open_db.begin() as db:
        check = db.scalars(select(AttentionCheck)).one()
        check.issued_at -= timedelta(seconds=200)
        check.expires_at -= timedelta(seconds=200)

    page.locator("[data-part=attention-answer]").click()
    wait_for(page, f"{WORDS}.startsWith('The time for this answer is over.')")
    page.locator("[data-part=attention-close]").click()
    wait_for(page, f"!({IS_SHOWN})")

    assert [check.answered_at for check in checks()] == [None]
