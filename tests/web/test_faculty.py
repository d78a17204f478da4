"""The personal page of the faculty: what its address opens, what it takes, and whom it signs in."""

import io
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.datastructures import FileStorage
from werkzeug.test import TestResponse, encode_multipart

from tests.builders import make_faculty, make_moderated, make_session, make_user
from webinar.db import DbSession
from webinar.domain.access import Role
from webinar.domain.session import FacultyPart, SessionStatus
from webinar.media.faculty_files import LARGEST_SLIDES, faculty_files
from webinar.media.ffmpeg import command
from webinar.models import FacultyMember, User, WebinarSession
from webinar.services import accounts, faculty, faculty_links
from webinar.web.guards import limiter

SignIn = Callable[[User], FlaskClient]
PDF = b"%PDF-1.7\n1 0 obj\n<<>>\nendobj\n%%EOF\n"


@dataclass(frozen=True)
class Guest:
    """A presenter with a personal address."""

    client: FlaskClient
    member: FacultyMember
    path: str

    @property
    def session(self) -> WebinarSession:
        return self.member.session

    def get(self, rest: str = "") -> TestResponse:
        return self.client.get(self.path + rest)

    def post(self, rest: str, **data: object) -> TestResponse:
        return self.client.post(self.path + rest, data=data)


def invited(db: DbSession, client: FlaskClient, member: FacultyMember) -> Guest:
    token = faculty_links.issue(db, member, now=datetime.now(UTC))
    db.commit()
    return Guest(client, member, f"/faculty/{token}")


@pytest.fixture
def guest(app: Flask, db: DbSession) -> Guest:
    now = datetime.now(UTC)
    session = make_session(db, starts_at=now + timedelta(days=12))
    person = accounts.waiting_account(db, "elena@example.net", "Prof Elena Marchetti", now=now)
    member = make_faculty(db, session, user=person, disclosure="")
    member.invited_at = now - timedelta(days=40)
    make_moderated(db, session)
    # A browser that keeps no cookies.
    return invited(db, app.test_client(use_cookies=False), member)


@pytest.fixture(scope="module")
def photo() -> bytes:
    source = ["-f", "lavfi", "-i", "color=teal:size=900x1200", "-frames:v", "1"]
    done = subprocess.run(
        command(["-loglevel", "error", *source, "-c:v", "png", "-f", "image2pipe", "pipe:1"]),
        check=True,
        capture_output=True,
    )
    return done.stdout


def stored(app: Flask) -> set[str]:
    root = faculty_files(app.extensions["config"].DATA_DIR).root
    return {path.name for path in root.iterdir()} if root.is_dir() else set()


def test_the_page_says_what_is_missing_and_no_cache_keeps_it(guest: Guest) -> None:
    answer = guest.get()

    page = answer.text
    assert answer.status_code == 200
    assert "Prof Elena Marchetti, you are presenter." in page
    assert [words in page for words in ("What is still missing", "was due", ">due ")] == [True] * 3
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.headers["Referrer-Policy"] == "no-referrer"
    assert answer.headers["X-Robots-Tag"] == "noindex"
    assert "unsafe" not in answer.headers["Content-Security-Policy"]


def test_an_unknown_address_is_gone_and_says_what_to_do(client: FlaskClient) -> None:
    answer = client.get("/faculty/1.nonsense")

    assert answer.status_code == 410
    assert "ask the organiser for a new address" in answer.text
    assert answer.headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize(
    "rest",
    ["/words", "/disclosure", "/consent", "/photo", "/slides", "/photo/remove", "/slides/remove"],
)
def test_nothing_is_saved_without_the_secret(app: Flask, client: FlaskClient, rest: str) -> None:
    answer = client.post(f"/faculty/1.nonsense{rest}", data={"name": "Mallory"})

    assert answer.status_code == 410
    assert stored(app) == set()


def test_times_are_told_in_the_persons_own_zone(db: DbSession, app: Flask, guest: Guest) -> None:
    guest.session.starts_at = datetime(2031, 1, 16, 17, 15, tzinfo=UTC)
    guest.session.ends_at = guest.session.starts_at + timedelta(minutes=45)
    person = db.get_one(User, guest.member.user_id)
    person.verified_at, person.zone = datetime.now(UTC), "Asia/Tokyo"
    db.commit()

    page = guest.get().text

    assert "18:15–19:00 CET" in page
    assert "(Tokyo)" in page


def test_words_are_saved_without_cookie_or_token_against_forgery(
    app: Flask, db: DbSession, guest: Guest
) -> None:
    app.config["WTF_CSRF_ENABLED"] = True

    answer = guest.post("/words", name="E. Marchetti", affiliation="Milan", biography="Surgeon.")

    db.expire_all()
    assert answer.status_code == 303
    assert answer.location.endswith("?saved=words#words")
    assert (guest.member.name, guest.member.affiliation, guest.member.biography) == (
        "E. Marchetti",
        "Milan",
        "Surgeon.",
    )
    assert "Saved. You can change it at any time." in guest.client.get(answer.location).text


def test_words_that_do_not_fit_are_kept_in_the_form(db: DbSession, guest: Guest) -> None:
    answer = guest.post("/words", name=" ", affiliation="Milan & Rome", biography="x" * 1501)

    db.expire_all()
    assert answer.status_code == 422
    assert 'value="Milan &amp; Rome"' in answer.text
    assert "x" * 1501 in answer.text
    assert "these are 1501" in answer.text
    assert guest.member.affiliation == ""


def test_nothing_to_disclose_is_signed_and_shown_to_the_audience(
    db: DbSession, client: FlaskClient, guest: Guest
) -> None:
    answer = guest.post(
        "/disclosure", answer="nothing", signed_by="Elena Marchetti", is_complete="y"
    )

    db.expire_all()
    assert answer.status_code == 303
    assert guest.member.disclosure == "Nothing to disclose."
    assert "Signed by Elena Marchetti" in guest.get().text
    assert "Nothing to disclose." in client.get(f"/sessions/{guest.session.public_id}").text


def test_relations_are_signed_one_by_one(db: DbSession, guest: Guest) -> None:
    guest.client.post(
        guest.path + "/disclosure",
        data={
            "answer": "relations",
            "company-0": "Roche",
            "nature-0": "advisory",
            "company-2": "Novartis",
            "nature-2": "research",
            "ended-2": "y",
            "signed_by": "Elena Marchetti",
            "is_complete": "y",
        },
    )

    db.expire_all()
    assert guest.member.disclosure == "Advisory board: Roche; Research funding: Novartis (ended)."


def test_an_unsigned_statement_is_kept_in_the_form(db: DbSession, guest: Guest) -> None:
    answer = guest.client.post(
        guest.path + "/disclosure",
        data={"answer": "relations", "company-0": "Roche <b>", "signed_by": "E M"},
    )

    db.expire_all()
    assert answer.status_code == 422
    assert 'value="Roche &lt;b&gt;"' in answer.text
    assert "Choose what the relation is." in answer.text
    assert "Confirm that this is complete and true." in answer.text
    assert guest.member.disclosure == ""


def test_consent_is_given_and_taken_back(db: DbSession, guest: Guest) -> None:
    guest.post("/consent", agrees="yes")
    agreed = guest.get().text
    guest.post("/consent", agrees="no")
    withdrawn = guest.get().text
    nonsense = guest.post("/consent", agrees="perhaps")

    db.expire_all()
    assert "You agree to be recorded" in agreed
    assert "the organiser decides what happens" in withdrawn
    assert nonsense.status_code == 422
    assert faculty.consents(guest.member) is False


def test_a_photo_is_drawn_anew_and_shown_where_the_session_is(
    app: Flask, db: DbSession, client: FlaskClient, guest: Guest, photo: bytes
) -> None:
    answer = guest.post("/photo", photo=(io.BytesIO(photo), "../../me.png"))

    db.expire_all()
    own = guest.get("/photo.jpg")
    portrait = f"/sessions/{guest.session.public_id}/faculty/{guest.member.id}.jpg"
    public = client.get(portrait)
    assert answer.status_code == 303
    assert own.data.startswith(b"\xff\xd8\xff")
    assert (own.mimetype, own.headers["Cache-Control"]) == ("image/jpeg", "no-store")
    assert public.data == own.data
    assert public.headers["Cache-Control"] == "private, max-age=3600"
    assert public.headers["X-Content-Type-Options"] == "nosniff"
    assert portrait in client.get(f"/sessions/{guest.session.public_id}").text
    assert len(stored(app)) == 1


def test_a_photo_is_nobodys_business_before_the_session_is_announced(
    db: DbSession, client: FlaskClient, guest: Guest, photo: bytes
) -> None:
    guest.post("/photo", photo=(io.BytesIO(photo), "me.png"))
    other = make_session(db)
    guest.session.status = SessionStatus.DRAFT
    db.commit()

    number = guest.member.id
    draft = client.get(f"/sessions/{guest.session.public_id}/faculty/{number}.jpg")
    elsewhere = client.get(f"/sessions/{other.public_id}/faculty/{number}.jpg")

    assert (draft.status_code, elsewhere.status_code) == (404, 404)


def test_a_newer_photo_and_a_deleted_one_leave_nothing_behind(
    app: Flask, guest: Guest, photo: bytes
) -> None:
    guest.post("/photo", photo=(io.BytesIO(photo), "one.png"))
    first = stored(app)
    guest.post("/photo", photo=(io.BytesIO(photo), "two.png"))
    second = stored(app)
    guest.post("/photo/remove")

    assert (len(first), len(second), len(first & second)) == (1, 1, 0)
    assert stored(app) == set()
    assert guest.get("/photo.jpg").status_code == 404


@pytest.mark.parametrize("data", [b"", b"<svg onload='alert(1)'/>", b"\xff\xd8\xff half"])
def test_what_is_no_photo_is_refused_beside_the_field(
    app: Flask, guest: Guest, data: bytes
) -> None:
    answer = guest.post("/photo", photo=(io.BytesIO(data), "me.jpg"))

    assert answer.status_code == 422
    assert 'id="f-photo-error"' in answer.text
    assert stored(app) == set()


def test_slides_come_back_as_a_download_under_a_harmless_name(guest: Guest) -> None:
    guest.post("/slides", slides=(io.BytesIO(PDF), "../my <talk>.html"))

    answer = guest.get("/slides")
    data = answer.data
    answer.close()

    assert data == PDF
    assert answer.mimetype == "application/pdf"
    assert answer.headers["Content-Disposition"] == 'attachment; filename="my talk.pdf"'
    assert answer.headers["X-Content-Type-Options"] == "nosniff"


@pytest.mark.parametrize("data", [b"MZ program", b"<html>", b"PK\x03\x04 zip"])
def test_what_are_no_slides_is_refused_beside_the_field(
    app: Flask, guest: Guest, data: bytes
) -> None:
    answer = guest.post("/slides", slides=(io.BytesIO(data), "talk.pdf"))

    assert answer.status_code == 422
    assert 'id="f-slides-error"' in answer.text
    assert stored(app) == set()


def test_slides_that_are_too_large_are_refused_before_they_are_read(
    app: Flask, guest: Guest
) -> None:
    answer = guest.client.post(
        guest.path + "/slides",
        data=bytes(LARGEST_SLIDES + 99_999),
        content_type="multipart/form-data; boundary=x",
    )

    assert answer.status_code == 413
    assert "A file has at most 50 MB." in answer.text
    assert stored(app) == set()


def test_uploads_are_counted(guest: Guest) -> None:
    limiter.reset()

    answers = [guest.post("/slides").status_code for _ in range(11)]

    limiter.reset()
    assert answers == [422] * 10 + [429]


def test_files_of_others_are_out_of_reach(
    db: DbSession, guest: Guest, app: Flask, photo: bytes
) -> None:
    guest.post("/photo", photo=(io.BytesIO(photo), "me.png"))
    guest.post("/slides", slides=(io.BytesIO(PDF), "talk.pdf"))
    colleague = make_faculty(db, guest.session, user=make_user(db), name="Dr Jan Novak")
    other = invited(db, app.test_client(), colleague)

    page = other.get().text

    assert "Elena Marchetti" not in page
    assert (other.get("/photo.jpg").status_code, other.get("/slides").status_code) == (404, 404)


def test_the_studio_opens_and_the_email_is_proved(app: Flask, db: DbSession, guest: Guest) -> None:
    browser = invited(db, app.test_client(), guest.member)

    answer = browser.post("/studio")
    studio = browser.client.get(f"{answer.location}")
    page = browser.get()
    again = browser.post("/studio")

    db.expire_all()
    assert (answer.status_code, answer.location) == (303, f"/studio/{guest.session.public_id}")
    assert studio.status_code == 200
    assert db.get_one(User, guest.member.user_id).verified_at is not None
    assert page.headers["Referrer-Policy"] == "strict-origin"
    assert again.location == answer.location


def test_a_forged_form_signs_nobody_in(app: Flask, db: DbSession, guest: Guest) -> None:
    app.config["WTF_CSRF_ENABLED"] = True
    browser = invited(db, app.test_client(), guest.member)

    answer = browser.post("/studio")

    db.expire_all()
    assert answer.status_code == 400
    assert db.get_one(User, guest.member.user_id).verified_at is None
    with browser.client.session_transaction() as cookie:
        assert "_user_id" not in cookie


def test_the_form_of_the_page_itself_signs_in(app: Flask, db: DbSession, guest: Guest) -> None:
    app.config["WTF_CSRF_ENABLED"] = True
    browser = invited(db, app.test_client(), guest.member)
    form = browser.get().text.partition('/studio">')[2]
    token = form.partition('name="csrf_token" value="')[2].partition('"')[0]

    answer = browser.post("/studio", csrf_token=token)

    assert answer.location == f"/studio/{guest.session.public_id}"


def test_staff_are_sent_to_the_ordinary_sign_in(app: Flask, db: DbSession, guest: Guest) -> None:
    organiser = make_user(db, roles=(Role.ORGANISER,))
    member = make_faculty(db, guest.session, FacultyPart.MODERATOR, user=organiser)
    browser = invited(db, app.test_client(), member)

    answer = browser.post("/studio")

    assert answer.location == f"/sign-in?next=/studio/{guest.session.public_id}"
    with browser.client.session_transaction() as cookie:
        assert "_user_id" not in cookie


def test_without_an_account_the_page_says_how_to_get_into_the_studio(
    app: Flask, db: DbSession, guest: Guest
) -> None:
    member = make_faculty(db, guest.session, FacultyPart.DISCUSSANT, name="Dr Jan Novak")
    browser = invited(db, app.test_client(), member)

    page, answer = browser.get().text, browser.post("/studio")

    assert "we need your e-mail" in page
    assert answer.status_code == 409


@pytest.mark.parametrize(
    ("status", "words"),
    [
        (SessionStatus.DRAFT, "Not announced yet"),
        (SessionStatus.CANCELLED, "This session is cancelled"),
        (SessionStatus.ENDED, "The session is over"),
    ],
)
def test_the_page_says_where_the_session_stands(
    db: DbSession, guest: Guest, status: SessionStatus, words: str
) -> None:
    guest.session.status = status
    db.commit()

    page = guest.get().text

    assert words in page
    assert "Open the studio</button>" not in page


def test_who_signed_out_everywhere_signs_in_the_ordinary_way(
    app: Flask, db: DbSession, guest: Guest
) -> None:
    browser = invited(db, app.test_client(), guest.member)
    accounts.end_sign_ins(db, guest.member.user_id, now=datetime.now(UTC))
    db.commit()

    page, answer = browser.get(), browser.post("/studio")

    assert page.status_code == 200
    assert answer.location == f"/sign-in?next=/studio/{guest.session.public_id}"


def test_what_was_sent_while_the_part_went_to_somebody_else_is_not_theirs(
    app: Flask, db: DbSession, guest: Guest
) -> None:
    class Slow(io.BytesIO):
        """A form on its way, while an organiser names somebody else."""

        def readinto(self, buffer: bytearray) -> int:  # type: ignore[override]
            guest.member.user_id = make_user(db).id
            db.commit()
            return super().readinto(buffer)

    boundary, form = encode_multipart({"slides": FileStorage(io.BytesIO(PDF), "talk.pdf")})

    answer = guest.client.post(
        f"{guest.path}/slides",
        input_stream=Slow(form),
        content_length=len(form),
        content_type=f"multipart/form-data; boundary={boundary}",
    )

    db.expire_all()
    assert answer.status_code == 410
    assert guest.member.files == []
    assert stored(app) == set()
