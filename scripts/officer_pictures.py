"""Takes the pictures of docs/guide-officer.md anew, on a desk and a phone, light and dark.

usage: PYTHONPATH=. python scripts/officer_pictures.py [name of a picture ...]
Loads the demonstration season into a folder of its own, serves it, and walks through the officer's
evening and month. The door for the auditor is a new one: the address of a door is shown once.
"""

import sys
import tempfile
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from playwright.sync_api import Browser, Page, sync_playwright
from sqlalchemy import select

from scripts.guide_pictures import QUALITY, served
from scripts.stage_pictures import LOOKS, page_of
from tests.components.chromium import launch
from webinar.db import open_db
from webinar.demo.people import ADMINISTRATOR, OFFICER, PARTICIPANT, person
from webinar.domain.review import CorrectionState
from webinar.media.ffmpeg import run
from webinar.models import (
    AccreditationGrant,
    Appeal,
    AttendanceImport,
    AttentionCheck,
    AuditorDoor,
    CreditCorrection,
    Incident,
    PostEventReport,
    TestAttempt,
    WebinarSession,
)
from webinar.services import auditor_doors

PICTURES = Path(__file__).resolve().parents[1] / "docs" / "images" / "officer"
TALLEST = 1300


@dataclass(frozen=True)
class Picture:
    """A page by its address; `part` is the heading it begins at, with everything opened."""

    path: str
    part: str = ""


def main(wanted: list[str]) -> int:
    """Take all pictures, or those named."""
    PICTURES.mkdir(parents=True, exist_ok=True)
    with (
        tempfile.TemporaryDirectory() as folder,
        served(Path(folder)) as (app, url),
        sync_playwright() as playwright,
    ):
        browser = launch(playwright)
        officers, seconds, participants = desk_pages()
        for part, pictures in (
            (OFFICER, officers),
            (ADMINISTRATOR, seconds),
            (PARTICIPANT, participants),
        ):
            page = page_of(browser, app, url, part)
            for name, picture in pictures.items():
                if not wanted or name in wanted:
                    take(page, name, picture)
            page.context.close()
        stranger(browser, url, wanted)
        browser.close()
    return 0


def desk_pages() -> tuple[dict[str, Picture], dict[str, Picture], dict[str, Picture]]:
    """What the officer, the second person and the participant see."""
    with open_db() as db:
        appeal = db.scalars(select(Appeal)).one()
        waiting = db.scalars(
            select(CreditCorrection).where(CreditCorrection.state == CorrectionState.PROPOSED)
        ).one()
        incident = db.scalars(select(Incident)).one()
        imported = db.scalars(select(AttendanceImport)).one()
        tried = db.scalars(select(TestAttempt)).first()
        checked = db.scalars(select(AttentionCheck)).first()
        signed = db.scalars(
            select(PostEventReport).where(
                PostEventReport.signed_at.is_not(None), PostEventReport.sent_at.is_(None)
            )
        ).one()
        faculty = db.scalars(
            select(AccreditationGrant).where(AccreditationGrant.mode == "faculty")
        ).one()
        if tried is None or checked is None:
            raise SystemExit("the demonstration has no tests or checks")

        def session(number: int) -> str:
            return db.get_one(WebinarSession, number).public_id

        participant = person(db, PARTICIPANT).id
        appealed = session(appeal.session_id)
        reported = session(faculty.session_id)
        case = f"/manage/credit/{appealed}"
        officers = {
            "desk": Picture("/manage/credit/"),
            "session": Picture(case),
            "person": Picture(f"{case}/people/{participant}"),
            "appeals": Picture("/manage/credit/appeals/"),
            "appeal": Picture(f"{case}/appeals/{appeal.id}"),
            "outage": Picture(f"/manage/sessions/{session(incident.session_id)}/incidents"),
            "import": Picture(
                f"/manage/sessions/{session(imported.session_id)}/attendance/{imported.id}"
            ),
            "test": Picture(f"/manage/sessions/{session(tried.session_id)}/test"),
            "checks": Picture(
                f"/manage/credit/{session(checked.session_id)}/people/{checked.user_id}",
                part="Swisswebinar",
            ),
            "faculty": Picture(f"/manage/sessions/{reported}/faculty-credit"),
            "reports": Picture("/manage/reports"),
            "report": Picture(f"/manage/sessions/{appealed}/reports/{signed.grant_id}"),
            "lists": Picture(f"/manage/sessions/{appealed}/reports"),
            "doors": Picture("/manage/credit/doors/"),
        }
        seconds = {"correction": Picture(CORRECTION.format(appealed, waiting.id))}
        participants = {"why": Picture(f"/sessions/{appealed}/credit")}
    return officers, seconds, participants


CORRECTION = "/manage/sessions/{}/corrections/{}"


def stranger(browser: Browser, url: str, wanted: list[str]) -> None:
    """The auditor, behind a door made just now."""
    now = datetime.now(UTC)
    with open_db.begin() as db:
        before = db.scalars(select(AuditorDoor)).first()
        if before is None:
            raise SystemExit("the demonstration has no door")
        _, token = auditor_doors.make(
            db,
            before.society_id,
            before.session_ids,
            label=before.label,
            days=1,
            actor_id=before.made_by_id,
            now=now,
        )
        session = db.get_one(WebinarSession, before.session_ids[-1]).public_id
    context = browser.new_context(base_url=url, locale="en-GB", reduced_motion="reduce")
    page = context.new_page()
    for name, path in (
        ("auditor", f"/audit/{token}/"),
        ("audited", f"/audit/{token}/sessions/{session}"),
    ):
        if not wanted or name in wanted:
            take(page, name, Picture(path))
    context.close()


def take(page: Page, name: str, picture: Picture) -> None:
    """A page in every look, from its top or from the part that is named."""
    answer = page.goto(picture.path, wait_until="load")
    if answer is None or answer.status != 200:
        raise SystemExit(f"{picture.path} answered {answer and answer.status}")
    if picture.part:
        page.evaluate("document.querySelectorAll('main details').forEach(one => one.open = true)")
    for width, theme in LOOKS:
        page.set_viewport_size({"width": width, "height": 900})
        page.emulate_media(color_scheme=theme)  # type: ignore[arg-type]
        page.wait_for_timeout(200)
        top = 0.0
        if picture.part:
            box = page.get_by_role("heading", name=picture.part).first.bounding_box()
            top = page.evaluate("scrollY") + box["y"] - 24 if box else 0.0
        tall = page.evaluate("document.documentElement.scrollHeight") - top
        size = {"x": 0, "y": top, "width": width, "height": min(tall, TALLEST)}
        png = page.screenshot(full_page=True, clip=size)  # type: ignore[arg-type]
        with tempfile.NamedTemporaryFile(suffix=".png") as file:
            file.write(png)
            file.flush()
            target = PICTURES / f"{name}-{width}-{theme}.webp"
            shrink = ["-i", file.name, "-quality", str(QUALITY), "-y", str(target)]
            run(shrink, timeout_seconds=60)
    sys.stderr.write(f"{name}\n")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
