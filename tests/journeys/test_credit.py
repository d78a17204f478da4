"""From presence to a certificate a stranger trusts: decided, appealed, corrected, reported."""

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from io import BytesIO

import pytest
import time_machine
from playwright.sync_api import Browser, Locator, Page, expect
from pypdf import PdfReader

from tests.builders import NOW, make_registration, make_user
from tests.components.smtp import SmtpSink
from tests.evidence import make_ended_session, make_grant, make_test, watch
from tests.journeys.browsing import page_of
from tests.journeys.conftest import Site
from webinar.db import DbSession, open_db
from webinar.domain.access import Role
from webinar.domain.attendance import ViewingMode
from webinar.domain.timezone import to_local
from webinar.models import Accreditor, CreditPolicy, User

pytestmark = pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)

RIGHT, WRONG = "It depends", "Yes"
TESTED = {
    "mode": "live",
    "body": "Academy",
    "award": "flat",
    "min_presence": 0.5,
    "evaluation_required": False,
    "test_required": True,
    "pass_ratio": 0.75,
    "max_attempts": 3,
    "retry_wait_h": 24,
    "test_deadline_h": 72,
}
STORY = "I was there to the end; the line of my hospital was down, and a colleague showed me hers."


@dataclass(frozen=True)
class Evening:
    """A session that ended a quarter of an hour ago, and its people."""

    public_id: str
    starts_at: datetime
    zone: str
    participant: User
    officers: tuple[User, User]


def an_evening(db: DbSession) -> Evening:
    """Three bodies; the participant left after 33:20 of 45:00."""
    session = make_ended_session(db)
    session.starts_at = datetime.now(UTC).replace(microsecond=0) - timedelta(minutes=60)
    session.ends_at = session.starts_at + timedelta(minutes=45)
    session.actual_started_at, session.actual_ended_at = session.starts_at, session.ends_at
    make_grant(db, session, "ama-pra-live", "0.75", body="ama")
    policy = CreditPolicy(
        name="academy-live", version=1, data=TESTED, created_at=NOW, approved_at=NOW
    )
    db.add(policy)
    grant = make_grant(db, session, "esmo-mora-live", "1", body="academy")
    grant.policy = policy
    make_grant(db, session, "uk-rcp-live", "1", body="rcp")
    for slug, name in (("ama", "AMA PRA"), ("academy", "Academy"), ("rcp", "Royal Colleges")):
        body = db.query(Accreditor).filter_by(slug=slug).one()
        body.name = body.short_name = name
    make_test(db, session)
    participant = make_user(db, "anna@example.net", name="Dr Anna Keller")
    make_registration(db, session, participant)
    watch(db, session, participant, ViewingMode.LIVE, 0, 2000)
    officers = tuple(
        make_user(db, name=name, roles=(Role.ACCREDITATION_OFFICER,))
        for name in ("Olga Brandt", "Paul Rossi")
    )
    return Evening(
        session.public_id, session.starts_at, session.zone, participant, (officers[0], officers[1])
    )


@pytest.mark.browser
def test_credit_is_earned_tested_appealed_corrected_reported_audited_and_verified(
    site: Site, browser: Browser, smtp: SmtpSink
) -> None:
    with open_db.begin() as db:
        evening = an_evening(db)
    person = page_of(browser, site, evening.participant)
    first, second = (page_of(browser, site, officer) for officer in evening.officers)

    with time_machine.travel(datetime.now(UTC), tick=True) as clock:
        earns_live_credit(person, evening)
        fails_the_test(person, evening)
        clock.shift(timedelta(hours=24, minutes=1))
        passes_the_test(person, evening)
        before = certificate_of(person, evening)
        appeals(person, evening)
        correction = officer_proposes(first, evening)
        second_officer_approves(first, second, correction)
        officer_answers(first, evening)
        hears_the_answer(person, evening, smtp)
        after = certificate_of(person, evening)
        officer_reports(first, evening)
        agrees_to_be_named(person)
        officer_exports(first, evening)
        door = officer_opens_a_door(first, evening)
        auditor_looks(page_of(browser, site), door, evening)
        stranger_verifies(page_of(browser, site), before, after)
    nothing_was_changed(site)


def card(page: Page, body: str) -> Locator:
    """The part of the page about one body."""
    return page.get_by_role("region", name=body)


def credit_page(page: Page, evening: Evening, body: str, words: str) -> None:
    """The credit page once it says that of the body: the clock decides by itself."""
    for _ in range(60):
        page.goto(f"/sessions/{evening.public_id}/credit")
        if card(page, body).get_by_text(words).count():
            return
        page.wait_for_timeout(500)
    raise AssertionError(f"{body} never said {words}: {card(page, body).inner_text()}")


def earns_live_credit(page: Page, evening: Evening) -> None:
    """One body gives its credit at once, one waits for the test, one says what is short."""
    credit_page(page, evening, "AMA PRA", "0.5 credit earned")
    expect(card(page, "Academy").get_by_text("Waits for you")).to_be_visible()
    colleges = card(page, "Royal Colleges")
    expect(colleges).to_contain_text("33:20 of 45:00 counted (74 %)")
    expect(colleges).to_contain_text("needs 36:00 (80 %): 2:40 short.")


def fails_the_test(page: Page, evening: Evening) -> None:
    """Every answer wrong; the next try is a day away."""
    card(page, "Academy").get_by_role("link", name="Take the test").click()
    hand_in(page, WRONG)
    expect(page.get_by_text("Not enough yet: 0 of 4 answers are right")).to_be_visible()
    expect(page.get_by_text("You can try again from")).to_be_visible()
    expect(page.get_by_role("button", name="Hand in your answers")).to_have_count(0)


def passes_the_test(page: Page, evening: Evening) -> None:
    """A day later, in another order, all right."""
    page.goto(f"/sessions/{evening.public_id}/test")
    hand_in(page, RIGHT)
    expect(page.get_by_text("4 of 4 answers are right.")).to_be_visible()
    credit_page(page, evening, "Academy", "1 point earned")


def hand_in(page: Page, answer: str) -> None:
    button = page.get_by_role("button", name="Hand in your answers")
    expect(button).to_be_visible()
    for question in page.get_by_role("group").all():
        question.get_by_label(answer, exact=True).check()
    button.click()


def certificate_of(page: Page, evening: Evening) -> str:
    """The number of the certificate, which the PDF shows."""
    page.goto(f"/sessions/{evening.public_id}/credit")
    href = page.get_by_role("link", name="Open the certificate").get_attribute("href")
    assert href is not None
    answer = page.request.get(href)
    number = href.rpartition("/")[2].removesuffix(".pdf")
    text = PdfReader(BytesIO(answer.body())).pages[0].extract_text()
    assert number in text
    assert "Dr Anna Keller" in text
    return number


def appeals(page: Page, evening: Evening) -> None:
    """In the person's own words; the evidence goes along."""
    page.goto(f"/sessions/{evening.public_id}/credit")
    colleges = card(page, "Royal Colleges")
    colleges.get_by_text("Something is wrong here").click()
    colleges.get_by_label("What is wrong?").fill(STORY)
    colleges.get_by_role("button", name="Send the appeal").click()
    expect(
        card(page, "Royal Colleges").get_by_text("with the accreditation officer")
    ).to_be_visible()


def officer_proposes(page: Page, evening: Evening) -> str:
    """From the desk to the appeal, to a correction; alone the officer cannot approve it."""
    page.goto("/manage/credit/")
    page.get_by_role("link", name="1 appeal", exact=True).click()
    page.get_by_role("link", name="Read it").click()
    expect(page.get_by_text(STORY)).to_be_visible()
    page.get_by_role("link", name="Propose a correction").click()
    page.get_by_label("Was there, though nothing shows it").check()
    page.get_by_role("textbox", name=re.compile("^From")).fill(hour(evening, 2000))
    page.get_by_role("textbox", name=re.compile("^To")).fill(hour(evening, 2700))
    page.get_by_label("Why").fill("Her colleague's mail of that evening.")
    page.get_by_role("button", name="Propose it").click()
    expect(page.get_by_text("A second person approves it")).to_be_visible()
    expect(page.get_by_role("button", name="Approve")).to_have_count(0)
    return page.url


def hour(evening: Evening, seconds: int) -> str:
    at = evening.starts_at + timedelta(seconds=seconds)
    return f"{to_local(at, evening.zone):%H:%M:%S}"


def second_officer_approves(first: Page, second: Page, correction: str) -> None:
    """Not even by a direct request can the first; the second sees what it would change."""
    token = first.locator("input[name=csrf_token]").first.get_attribute("value")
    assert token is not None
    refused = first.request.post(f"{correction}/approve", form={"csrf_token": token})
    assert refused.status == 403
    second.goto(correction)
    expect(second.get_by_role("heading", name="Royal Colleges: 0 → 1")).to_be_visible()
    second.get_by_role("button", name="Approve").click()
    expect(second.get_by_text("Approved, and credit is decided.")).to_be_visible()


def officer_answers(page: Page, evening: Evening) -> None:
    page.goto("/manage/credit/")
    page.get_by_role("link", name="1 appeal", exact=True).click()
    page.get_by_role("link", name="Read it").click()
    page.get_by_label("They are right").check()
    page.get_by_label("In your words").fill("You were right: the whole evening counts now.")
    page.get_by_role("button", name="Answer by mail").click()
    expect(page.get_by_role("heading", name="No open appeal")).to_be_visible()


def hears_the_answer(page: Page, evening: Evening, smtp: SmtpSink) -> None:
    """By mail and on the page, with the credit."""
    credit_page(page, evening, "Royal Colleges", "1 point earned")
    expect(card(page, "Royal Colleges").get_by_text(": you were right")).to_be_visible()
    for _ in range(60):
        if any("whole evening counts" in text_of(mail) for mail in smtp.messages):
            return
        page.wait_for_timeout(500)
    raise AssertionError([mail["Subject"] for mail in smtp.messages])


def text_of(mail: EmailMessage) -> str:
    body = mail.get_body(("plain",))
    return "" if body is None else " ".join(body.get_content().split())


def officer_reports(page: Page, evening: Evening) -> None:
    """Signed by the chair, downloaded, marked as sent."""
    page.goto(f"/manage/sessions/{evening.public_id}/reports")
    card(page, "Royal Colleges").get_by_role("link", name="Open the report").click()
    page.get_by_label("Scientific chair").fill("Prof Elena Marchetti")
    page.get_by_role("button", name="Sign the report").click()
    expect(page.get_by_role("heading", name="Signed")).to_be_visible()
    href = page.get_by_role("link", name="PDF").get_attribute("href")
    assert href is not None
    text = "".join(
        one.extract_text() for one in PdfReader(BytesIO(page.request.get(href).body())).pages
    )
    assert "Prof Elena Marchetti" in text
    assert "Dr Anna Keller" not in text
    page.get_by_role("button", name="The body has it").click()
    expect(page.get_by_text(re.compile("Sent on"))).to_be_visible()


def agrees_to_be_named(page: Page) -> None:
    """Without consent nobody stands on a list that leaves."""
    page.goto("/my/numbers/")
    number = page.get_by_role("region", name=re.compile("ESMO"))
    number.get_by_text("Give it").click()
    number.get_by_role("textbox").fill("1234567")
    number.get_by_role("checkbox").check()
    number.get_by_role("button", name="Store").click()
    expect(
        page.get_by_role("region", name=re.compile("ESMO")).get_by_text("1234567")
    ).to_be_visible()


def officer_exports(page: Page, evening: Evening) -> None:
    """A list is looked at, made, downloaded and marked as sent."""
    page.goto(f"/manage/sessions/{evening.public_id}/reports")
    card(page, "Academy").get_by_role("link", name=re.compile("ESMO-MORA")).click()
    page.get_by_role("button", name="Make this list").click()
    href = page.get_by_role("link", name="CSV").first.get_attribute("href")
    assert href is not None
    assert "Dr Anna Keller" in page.request.get(href).text()
    page.get_by_role("button", name="The registry has it").click()
    expect(page.get_by_role("button", name="The registry has it")).to_have_count(0)


def officer_opens_a_door(page: Page, evening: Evening) -> str:
    """The address is shown once."""
    page.goto("/manage/credit/doors/")
    page.get_by_role("link", name=re.compile("Make a door")).first.click()
    page.get_by_label("For whom").fill("UK Federation, visit of November")
    page.get_by_role("checkbox").first.check()
    page.get_by_role("button", name="Make the door").click()
    address = page.get_by_label("The address").input_value()
    page.goto("/manage/credit/doors/")
    expect(page.get_by_text("UK Federation, visit of November")).to_be_visible()
    expect(page.get_by_text(address)).to_have_count(0)
    return address


def auditor_looks(page: Page, door: str, evening: Evening) -> None:
    """Pseudonyms, the same results again, and the names of a sample drawn by lot."""
    page.goto(door)
    sessions = page.get_by_role("region", name="1 session")
    sessions.get_by_role("link").click()
    expect(page.get_by_role("link", name=re.compile("^Participant "))).to_be_visible()
    assert "Anna Keller" not in page.content()
    page.get_by_role("link", name=re.compile("^Participant ")).click()
    expect(page.get_by_text("Comes out the same")).to_have_count(3)
    assert "Anna Keller" not in page.content()
    page.goto(f"{door.rstrip('/')}/sessions/{evening.public_id}/again")
    expect(page.get_by_text("No difference")).to_be_visible()
    page.goto(door)
    page.get_by_label("How many people").fill("1")
    page.get_by_role("button", name="Draw the sample").click()
    expect(page.get_by_role("link", name="Dr Anna Keller")).to_be_visible()
    expect(page.get_by_role("button", name="Draw the sample")).to_have_count(0)


def stranger_verifies(page: Page, before: str, after: str) -> None:
    """The older certificate leads to the newer one, which is genuine."""
    page.goto(f"/verify/{before}")
    page.get_by_role("link", name=after).click()
    expect(page.get_by_role("heading", name="This certificate is genuine")).to_be_visible()
    expect(page.get_by_text("Dr Anna Keller")).to_be_visible()


def nothing_was_changed(site: Site) -> None:
    """The chain of the evening holds, and every decision follows from its evidence."""
    result = site.app.test_cli_runner().invoke(args=["evidence", "verify"])

    assert (result.exit_code, result.output) == (0, result.output)
