"""The organiser's season in a real browser: planned, changed, staffed, imported, copied."""

import csv
import io
import re
from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from dateutil.rrule import FR, MONTHLY, TH, TU, WEEKLY, rrule
from playwright.sync_api import Browser, Page, expect
from sqlalchemy import func, select

from tests.builders import make_registration, make_society, make_user
from tests.components.smtp import SmtpSink
from tests.journeys.browsing import page_of
from tests.journeys.conftest import Site
from webinar.db import open_db, read_db
from webinar.domain.access import Role
from webinar.domain.session import SessionStatus
from webinar.models import Delivery, FacultyMember, User, WebinarSession
from webinar.services import sessions
from webinar.tools import calendar_tool

ZURICH = ZoneInfo("Europe/Zurich")
EVENING = time(18, 15)
PICTURES = Path(__file__).resolve().parents[2] / "docs" / "images"
PHONE = {"width": 390, "height": 844}


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_a_year_is_planned_by_two_rules_then_moved_changed_cancelled_and_copied(
    site: Site, browser: Browser
) -> None:
    with open_db.begin() as db:
        organiser = make_user(db, "organiser@example.net", roles=(Role.ORGANISER,))
        participant = make_user(db, "tokyo@example.net", zone="Asia/Tokyo")
        make_society(db, "academy")
    page = page_of(browser, site, organiser)
    first = next_thursday(datetime.now(ZURICH).date() + timedelta(days=7))
    until = first + timedelta(days=363)
    away = (first + timedelta(days=20), first + timedelta(days=30))

    plan_the_year(page, first, until, away)
    assert evenings_by_day() == dict.fromkeys(expected_days(first, until, away), EVENING)

    moved_to = move_across_the_clock_change(page, site, participant, organiser)
    change_the_rule_and_take_it_back(page, next_thursday(moved_to + timedelta(days=14)), until)
    cancel_one(page, site, participant, organiser)
    copy_the_season(page, first, until)


def next_thursday(day: date) -> date:
    """The first Thursday from this day on."""
    return rrule(WEEKLY, byweekday=TH, dtstart=datetime.combine(day, time()), count=1)[0].date()


def expected_days(first: date, until: date, away: tuple[date, date]) -> list[date]:
    """Worked out by another hand: every Thursday and first Tuesday but the break."""
    span = {"dtstart": datetime.combine(first, time()), "until": datetime.combine(until, time())}
    days = {*rrule(WEEKLY, byweekday=TH, **span), *rrule(MONTHLY, byweekday=TU(1), **span)}
    return sorted(day.date() for day in days if not away[0] <= day.date() <= away[1])


def clock_changes(days: list[date]) -> list[tuple[date, date]]:
    """The neighbours between which the clocks of Zurich change: one pair a year, or two."""
    offsets = {day: datetime.combine(day, EVENING, ZURICH).utcoffset() for day in days}
    return [(day, later) for day, later in pairwise(days) if offsets[day] != offsets[later]]


def evenings_by_day() -> dict[date, time]:
    """When each session starts on the clocks of Zurich, by its day."""
    with read_db() as db:
        starts = db.scalars(select(WebinarSession.starts_at).order_by(WebinarSession.starts_at))
        local = [start.astimezone(ZURICH) for start in starts]
    return {start.date(): start.time() for start in local}


def plan_the_year(page: Page, first: date, until: date, away: tuple[date, date]) -> None:
    """A series by two rules, a break, and its dates as drafts."""
    page.goto("/manage/series/new")
    page.get_by_label("Name", exact=True).fill("e-grandrounds")
    page.get_by_role("button", name="Add another rule").click()
    rules = page.locator("fieldset.rule")
    expect(rules).to_have_count(2)
    rules.nth(0).get_by_label("First day").fill(first.isoformat())
    rules.nth(1).get_by_label("Repeats").select_option(label="the first of the month")
    rules.nth(1).get_by_label("On", exact=True).select_option(label="Tuesday")
    rules.nth(1).get_by_label("Starts at").fill("18:15")
    rules.nth(1).get_by_label("Minutes").fill("45")
    rules.nth(1).get_by_label("First day").fill(first.isoformat())
    page.get_by_role("button", name="Create the series").click()

    page.locator("[name=break-0-first_day]").fill(away[0].isoformat())
    page.locator("[name=break-0-last_day]").fill(away[1].isoformat())
    page.locator("[name=break-0-reason]").fill("Winter break")
    page.get_by_role("button", name="Leave these days out").click()
    expect(page.get_by_text("Winter break")).to_be_visible()

    page.get_by_label("Last day of the plan").fill(until.isoformat())
    page.get_by_role("button", name="Show the dates").click()
    # Nothing is planned by looking, and the clock changes of the year are marked.
    assert evenings_by_day() == {}
    changes = clock_changes(expected_days(first, until, away))
    expect(page.get_by_text("The clocks in Zurich went")).to_have_count(len(changes))
    page.get_by_role("button", name=re.compile(r"Plan \d+ drafts")).click()
    expect(page.get_by_role("heading", name="Sessions", exact=True)).to_be_visible()


def announce(
    site: Site, organiser: User, participant: User, *, after: datetime
) -> tuple[str, datetime]:
    """Publish the first draft from then on, with one person registered: its address and start."""
    with open_db.begin() as db:
        session = db.scalars(
            select(WebinarSession)
            .where(WebinarSession.status == SessionStatus.DRAFT, WebinarSession.starts_at >= after)
            .order_by(WebinarSession.starts_at)
        ).first()
        assert session is not None
        sessions.publish(
            db,
            session.id,
            actor_id=organiser.id,
            calendar=calendar_tool(site.config),
            now=datetime.now(UTC),
            override_reason="A placeholder until the speaker is named",
        )
        make_registration(db, session, db.get_one(User, participant.id))
        return session.public_id, session.starts_at


def move_across_the_clock_change(
    page: Page, site: Site, participant: User, organiser: User
) -> date:
    """From the last date of one time to days after the first of the other: it stays 18:15."""
    before, later = clock_changes(sorted(evenings_by_day()))[0]
    start = datetime.combine(before, EVENING, ZURICH)
    public_id, starts_at = announce(site, organiser, participant, after=start)
    to = later + timedelta(days=4)

    page.goto(f"/manage/sessions/{public_id}/move")
    page.get_by_label("Day").fill(to.isoformat())
    page.get_by_role("button", name="Move it").click()
    expect(page.get_by_text("1 person will be told")).to_be_visible()
    expect(page.get_by_text("1 will see a new hour")).to_be_visible()
    page.get_by_role("button", name="Move it and tell them").click()
    expect(page.get_by_role("region", name="Undo")).to_be_visible()

    with read_db() as db:
        session = db.scalars(
            select(WebinarSession).where(WebinarSession.public_id == public_id)
        ).one()
        mails = db.scalars(select(Delivery).where(Delivery.subject_id == session.id)).all()
    assert session.starts_at.astimezone(ZURICH).replace(tzinfo=None) == datetime.combine(
        to, EVENING
    )
    assert session.starts_at.time() != starts_at.time()
    assert (session.ical_sequence, session.moved_from) == (1, starts_at)
    moved = [mail for mail in mails if mail.kind == "session_moved"]
    assert [mail.sent_at for mail in moved] == [None]
    return to


def change_the_rule_and_take_it_back(page: Page, from_day: date, until: date) -> None:
    """Every Thursday from a day on an hour earlier; shown, done, undone."""
    earlier = time(17, 15)
    before = evenings_by_day()
    page.goto("/manage/series/e-grandrounds")
    page.get_by_role("link", name="Change the rule from a day on").click()
    page.get_by_label("The change begins on").fill(from_day.isoformat())
    page.locator("fieldset.rule").nth(0).get_by_label("Starts at").fill("17:15")
    page.get_by_label("Plan its dates until").fill(until.isoformat())
    page.get_by_role("button", name="Show what would change").click()
    thursdays = [day for day in before if day >= from_day and day.weekday() == 3]
    words = f"0 dates added, {len(thursdays)} moved, 0 kept as they are, 0 dropped."
    expect(page.get_by_text(words)).to_be_visible()
    assert evenings_by_day() == before

    page.get_by_role("button", name="Change the rule").click()
    expect(page.get_by_role("region", name="Undo").first).to_be_visible()
    assert evenings_by_day() == before | dict.fromkeys(thursdays, earlier)

    page.get_by_role("region", name="Undo").first.get_by_role("button", name="Undo").click()
    expect(page.get_by_text("every Thursday, 17:15", exact=False)).to_have_count(0)
    assert evenings_by_day() == before


def cancel_one(page: Page, site: Site, participant: User, organiser: User) -> None:
    """With a reason, that people are told; it stays to be seen as cancelled."""
    public_id, _ = announce(site, organiser, participant, after=datetime.now(UTC))
    page.goto(f"/manage/sessions/{public_id}")
    page.get_by_text("Cancel the session").click()
    page.get_by_label("Why").last.fill("The speaker is ill.")
    page.get_by_role("button", name="Cancel it and tell 1 person").click()
    expect(page.get_by_role("heading", name="Cancelled")).to_be_visible()

    page.goto(f"/sessions/{public_id}")
    expect(page.get_by_text("The speaker is ill.").first).to_be_visible()


def copy_the_season(page: Page, first: date, until: date) -> None:
    """The same again a year later, as drafts; every date is seen before."""
    before = evenings_by_day()
    page.goto("/manage/copy")
    page.get_by_label("Old season from").fill(first.isoformat())
    page.get_by_label("to", exact=True).fill(until.isoformat())
    page.get_by_label("First day of the new season").fill((until + timedelta(days=1)).isoformat())
    page.get_by_role("button", name="Show the dates").click()
    ticked = page.locator("input[name=date]:checked").count()
    assert evenings_by_day() == before
    page.get_by_role("button", name="Make the ticked drafts").click()
    expect(page.get_by_role("region", name="Undo").first).to_be_visible()

    made = {day: start for day, start in evenings_by_day().items() if day not in before}
    assert len(made) == ticked > 50
    assert set(made.values()) == {EVENING}
    assert min(made) > until


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
def test_an_import_with_three_bad_rows_changes_nothing_and_a_good_one_everything(
    site: Site, browser: Browser
) -> None:
    with open_db.begin() as db:
        organiser = make_user(db, roles=(Role.ORGANISER,))
        make_society(db, "academy")
    page = page_of(browser, site, organiser)
    fridays = rrule(WEEKLY, byweekday=FR, dtstart=datetime(2027, 1, 1), count=50)
    rows = [
        ["academy", f"{day:%Y-%m-%d}", "18:15", "45", f"Case {n}"] for n, day in enumerate(fridays)
    ]
    bad = [list(row) for row in rows]
    bad[3][0] = "nobody"
    bad[20][1] = "31.02.2027"
    bad[40][1:3] = ["2027-03-28", "02:30"]  # the hour that the clocks skip

    send_table(page, bad)
    problems = page.locator("ul.problems li")
    expect(problems).to_have_count(3)
    assert [re.match(r"Row (\d+)", text).group(1) for text in problems.all_inner_texts()] == [
        "5",
        "22",
        "42",
    ]
    expect(page.get_by_role("button", name=re.compile("Import"))).to_have_count(0)
    assert sessions_there() == 0

    send_table(page, rows)
    assert sessions_there() == 0
    page.get_by_role("button", name="Import 50 rows").click()
    expect(page.get_by_text("Imported: 50 new drafts.")).to_be_visible()
    assert sessions_there() == 50


def send_table(page: Page, rows: list[list[str]]) -> None:
    """Have a CSV file looked through."""
    text = io.StringIO()
    csv.writer(text).writerows([["society", "date", "start", "minutes", "title"], *rows])
    page.goto("/manage/import")
    page.get_by_label("Spreadsheet").set_input_files(
        {"name": "season.csv", "mimeType": "text/csv", "buffer": text.getvalue().encode()}
    )
    page.get_by_role("button", name="Look it through").click()
    expect(page.get_by_role("heading", name="Look through the import")).to_be_visible()


def sessions_there() -> int:
    with read_db() as db:
        return db.scalar(select(func.count()).select_from(WebinarSession)) or 0


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
def test_the_gate_refuses_until_the_faculty_has_filled_its_page_on_a_phone(
    site: Site, browser: Browser, smtp: SmtpSink
) -> None:
    with open_db.begin() as db:
        organiser = make_user(db, roles=(Role.ORGANISER,))
        make_society(db, "academy")
    page = page_of(browser, site, organiser)
    page.goto("/manage/sessions/new")
    day = datetime.now(ZURICH).date() + timedelta(days=30)
    page.get_by_label("Title").fill("Margins in breast-conserving surgery")
    page.get_by_label("Abstract").fill("What a surgeon should change on Monday morning.")
    page.get_by_label("Day", exact=True).fill(day.isoformat())
    page.get_by_label("Starts").fill("18:15")
    page.get_by_label("Ends").fill("19:00")
    person = page.get_by_role("group", name="Person 1")
    person.get_by_label("Name").fill("Prof Elena Marchetti")
    person.get_by_label("E-mail").fill("elena@example.net")
    page.get_by_role("button", name="Make the draft").click()

    missing = page.locator("ul.missing li")
    expect(missing).to_have_text(["learning objectives", "the disclosure of Prof Elena Marchetti"])
    expect(page.get_by_role("button", name="Publish the session")).to_have_count(0)
    page.get_by_label("Learning objectives").fill("Know which margin is enough.")
    page.get_by_role("button", name="Save", exact=True).click()
    expect(missing).to_have_text(["the disclosure of Prof Elena Marchetti"])
    public_id = page.url.partition("?")[0].rstrip("/").rpartition("/")[2]
    # Who presses where no button is, is refused as well.
    answer = page.context.request.post(
        f"{site.url}/manage/sessions/{public_id}/publish",
        form={"csrf_token": page.locator("[name=csrf_token]").first.input_value()},
        headers={"Referer": page.url},
    )
    assert answer.status == 422

    page.goto(f"/manage/sessions/{public_id}/faculty")
    page.get_by_role("button", name="Invite 1 person").click()
    [mail] = smtp.wait_for(1)
    body = mail.get_body(("plain",)).get_content()
    link = re.search(r"http://\S+/faculty/\S+", body).group()
    fill_in_on_a_phone(browser, link)

    page.goto(f"/manage/sessions/{public_id}")
    page.get_by_role("button", name="Publish the session").click()
    page.get_by_role("link", name="Public page").click()
    expect(page.get_by_text("Nothing to disclose").first).to_be_visible()
    with read_db() as db:
        member = db.scalars(select(FacultyMember)).one()
        assert [file.kind for file in member.files] == ["photo", "slides"]
        assert member.disclosure_form is not None
        assert member.consented_at is not None


def fill_in_on_a_phone(browser: Browser, link: str) -> None:
    """The speaker's part, without an account: each piece saves by itself."""
    context = browser.new_context(viewport=PHONE, has_touch=True, is_mobile=True)
    phone = context.new_page()
    phone.goto(link)
    assert phone.evaluate("document.documentElement.scrollWidth <= innerWidth")
    disclosure = phone.locator("#disclosure")
    disclosure.get_by_label("No, I have nothing to disclose").check()
    disclosure.get_by_label("This is complete and true").check()
    disclosure.get_by_label("Your name, as a signature").fill("Elena Marchetti")
    disclosure.get_by_role("button", name="Sign and save").tap()
    expect(disclosure.get_by_text("Signed and saved")).to_be_visible()
    phone.get_by_role("button", name="I agree to be recorded").tap()
    expect(phone.get_by_text("You agree to be recorded")).to_be_visible()
    phone.get_by_label("A few words about you").fill(
        "Surgeon in Milan; margins are my daily bread."
    )
    phone.locator("#words").get_by_role("button", name="Save").tap()
    expect(phone.locator("#words").get_by_text("Saved.")).to_be_visible()
    phone.locator("#photo input[type=file]").set_input_files(PICTURES / "home.jpg")
    phone.get_by_role("button", name="Send the photo").tap()
    expect(phone.get_by_alt_text("Your photo")).to_be_visible()
    slides = {"name": "margins.pdf", "mimeType": "application/pdf", "buffer": SLIDES}
    phone.locator("#slides input[type=file]").set_input_files(slides)
    phone.get_by_role("button", name="Send the slides").tap()
    expect(phone.get_by_text("Everything is in")).to_be_visible()
    context.close()


SLIDES = b"%PDF-1.4\n1 0 obj<</Type/Catalog>>endobj\ntrailer<</Root 1 0 R>>\n%%EOF\n"


def test_the_second_of_two_organisers_is_shown_what_the_first_changed(
    site: Site, browser: Browser
) -> None:
    with open_db.begin() as db:
        first = make_user(db, name="Chiara Bernasconi", roles=(Role.ORGANISER,))
        second = make_user(db, name="Noor de Wit", roles=(Role.ORGANISER,))
        make_society(db, "academy")
    one, other = page_of(browser, site, first), page_of(browser, site, second)
    one.goto("/manage/sessions/new")
    one.get_by_label("Title").fill("Margins")
    one.get_by_label("Day", exact=True).fill(
        f"{datetime.now(ZURICH) + timedelta(days=30):%Y-%m-%d}"
    )
    one.get_by_label("Starts").fill("18:15")
    one.get_by_label("Ends").fill("19:00")
    one.get_by_role("button", name="Make the draft").click()
    expect(one.get_by_role("heading", name="Margins")).to_be_visible()
    other.goto(one.url)

    one.get_by_label("Title").fill("Margins in breast-conserving surgery")
    one.get_by_label("Learning objectives").fill("Know which margin is enough.")
    one.get_by_role("button", name="Save", exact=True).click()
    expect(one.get_by_role("heading", name="Margins in breast")).to_be_visible()
    other.get_by_label("Title").fill("Margins, again")
    other.get_by_label("Abstract").fill("What to change on Monday.")
    other.get_by_role("button", name="Save", exact=True).click()

    heading = other.get_by_role("heading", name="Somebody changed this session meanwhile")
    expect(heading).to_be_visible()
    title = other.get_by_role("group", name=re.compile("Title"))
    expect(title.get_by_text("Chiara Bernasconi")).to_be_visible()
    expect(title.get_by_text("Margins in breast-conserving surgery")).to_be_visible()
    expect(title.get_by_text("Margins, again")).to_be_visible()
    title.get_by_label("As it is saved").check()
    other.get_by_role("button", name="Save what is chosen").click()
    expect(other.get_by_role("heading", name="Margins in breast")).to_be_visible()
    with read_db() as db:
        session = db.scalars(select(WebinarSession)).one()
        assert session.title == "Margins in breast-conserving surgery"
        assert session.objectives == "Know which margin is enough."
        assert session.abstract == "What to change on Monday."
