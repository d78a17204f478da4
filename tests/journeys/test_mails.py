"""Mails as people see them: legible in both themes and on a phone; their choice is kept."""

from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, expect

from tests.builders import make_topic, make_user
from tests.journeys.conftest import Site
from webinar.db import open_db, read_db
from webinar.domain.letter import MailKind
from webinar.domain.mail_wishes import MailTopic
from webinar.mail.samples import NOW, sample_letter
from webinar.services import mail_wishes
from webinar.tools import mail_composer

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)

AXE = (Path(__file__).parents[1] / "vendor" / "axe" / "axe.min.js").read_text()
RUN_AXE = """
async () => {
  const { violations } = await axe.run(document, {
    resultTypes: ["violations"],
    rules: { "color-contrast": { enabled: true } },
  });
  return violations
    .filter(({ impact }) => impact === "serious" || impact === "critical")
    .flatMap(({ id, nodes }) => nodes.map(({ target, any }) =>
      `${id}: ${target} ${any.map(({ message }) => message)}`));
}
"""
IS_WIDER = "() => document.documentElement.scrollWidth > window.innerWidth"


@pytest.mark.parametrize(("width", "theme"), [(600, "light"), (390, "dark")])
def test_every_mail_is_legible_in_both_themes_and_fits(
    site: Site, browser: Browser, width: int, theme: str
) -> None:
    composer = mail_composer(site.config)
    context = browser.new_context(
        viewport={"width": width, "height": 900},
        color_scheme="dark" if theme == "dark" else "light",
    )
    page = context.new_page()
    wrong = []

    for kind in MailKind:
        # Tokyo: with the hour of the reader, on the other day.
        page.set_content(composer.parts(sample_letter(kind, zone="Asia/Tokyo"), now=NOW).html)
        page.evaluate(AXE)
        wrong += [f"{kind}: {line}" for line in page.evaluate(RUN_AXE)]
        if page.evaluate(IS_WIDER):
            wrong.append(f"{kind}: wider than {width} px")
    background = page.evaluate("getComputedStyle(document.body).backgroundColor")
    context.close()

    assert wrong == []
    assert background == ("rgb(24, 22, 19)" if theme == "dark" else "rgb(250, 247, 240)")


def test_switches_work_by_keyboard_and_stay(site: Site, context: BrowserContext) -> None:
    with open_db.begin() as db:
        user, topic = make_user(db), make_topic(db)
    context.add_cookies([site.cookie_for(user)])
    page = context.new_page()
    page.goto("/my/mail/")

    hour = page.get_by_role("switch", name="An hour before a session")
    week = page.get_by_role("switch", name="The week's sessions")
    expect(hour).to_be_checked()
    expect(week).not_to_be_checked()
    hour.focus()
    page.keyboard.press("Space")
    week.check()
    page.get_by_role("checkbox", name=topic.name).check()
    page.get_by_role("button", name="Save").press("Enter")

    expect(page.get_by_text("Your choice of mails is kept.")).to_be_visible()
    expect(page.get_by_role("switch", name="An hour before a session")).not_to_be_checked()
    expect(page.get_by_role("switch", name="The week's sessions")).to_be_checked()
    with read_db() as fresh:
        wishes = mail_wishes.wishes_of(fresh, user.id)
        assert mail_wishes.digest_topics(fresh, user.id) == {topic.id}
    assert (wishes[MailTopic.REMINDER_HOUR], wishes[MailTopic.REMINDER_DAY]) == (False, True)
