from dataclasses import replace
from email import message_from_bytes, policy
from pathlib import Path

import pytest

from webinar.domain.letter import MailKind
from webinar.mail.compose import Composer
from webinar.mail.samples import NOW, SESSION, sample_letter

TEMPLATES = Path(__file__).resolve().parents[2] / "templates" / "mail"


@pytest.fixture
def composer() -> Composer:
    return Composer(
        TEMPLATES,
        public_url="https://rounds.example",
        site_name="Grand Rounds Online",
        sender="Grand Rounds Online <webinars@rounds.example>",
        home_zone="Europe/Zurich",
    )


def test_every_kind_has_its_folder_and_every_folder_its_kind() -> None:
    folders = {path.name for path in TEMPLATES.iterdir() if path.is_dir()}

    assert folders == {kind.value for kind in MailKind}


@pytest.mark.parametrize("kind", MailKind)
@pytest.mark.parametrize("zone", ["Europe/Zurich", "Asia/Tokyo"])
def test_every_kind_can_be_read_as_text_and_as_html(
    composer: Composer, kind: MailKind, zone: str
) -> None:
    parts = composer.parts(sample_letter(kind, zone=zone), now=NOW)

    assert "\n" not in parts.subject
    assert len(parts.subject) > 10
    assert parts.text.startswith("Dear Dr Anna Keller,\n")
    assert "https://rounds.example/" in parts.text
    assert "{{" not in parts.text + parts.html
    # No picture, no script: nothing that tells anybody that the mail was opened.
    assert not {"<img", "<script", "<link", "http-equiv"} & set(parts.html.split())


@pytest.mark.parametrize("kind", MailKind)
def test_every_kind_says_why_it_was_sent(composer: Composer, kind: MailKind) -> None:
    parts = composer.parts(sample_letter(kind), now=NOW)

    assert parts.text.count("You get this mail because") == 1
    assert parts.html.count("You get this mail because") == 1


def test_a_session_is_told_in_its_own_time_and_in_the_readers(composer: Composer) -> None:
    parts = composer.parts(sample_letter(MailKind.SESSION_REMINDER, zone="Asia/Tokyo"), now=NOW)

    assert parts.subject == "Reminder, 18:15 CET: Sentinel nodes after neoadjuvant therapy"
    assert (
        "Thu 26 Nov 2026, 18:15–19:00 CET (Zurich)\n"
        "your time Fri 27 Nov 2026, 02:15–03:00 (Tokyo)\n"
    ) in parts.text


def test_who_lives_in_the_sessions_time_reads_it_once(composer: Composer) -> None:
    parts = composer.parts(sample_letter(MailKind.SESSION_REMINDER, zone="Europe/Paris"), now=NOW)

    assert "your time" not in parts.text


def test_a_reminder_after_the_start_says_that_it_is_live(composer: Composer) -> None:
    parts = composer.parts(sample_letter(MailKind.SESSION_REMINDER), now=SESSION.starts_at)

    assert parts.subject == "Live now: Sentinel nodes after neoadjuvant therapy"


def test_a_message_is_text_first_and_known_again_when_it_comes_twice(composer: Composer) -> None:
    letter = sample_letter(MailKind.SIGN_IN_LINK)

    first, again = composer.compose(letter, now=NOW), composer.compose(letter, now=NOW)
    other = composer.compose(replace(letter, key="another"), now=NOW)

    read = message_from_bytes(first.as_bytes(), policy=policy.default)
    assert [part.get_content_type() for part in read.iter_parts()] == ["text/plain", "text/html"]
    assert (read["From"], read["To"]) == (
        "Grand Rounds Online <webinars@rounds.example>",
        "Dr Anna Keller <anna.keller@example.net>",
    )
    assert read["Auto-Submitted"] == "auto-generated"
    assert first["Message-ID"] == again["Message-ID"]
    assert first["Message-ID"] != other["Message-ID"]
    assert str(first["Message-ID"]).endswith("@rounds.example>")


def test_what_people_typed_is_only_text(composer: Composer) -> None:
    session = replace(SESSION, title='A <b>bold</b> "title" & more\r\nBcc: all@example.net')
    letter = replace(
        sample_letter(MailKind.SESSION_CANCELLED), session=session, name="Zoë <script>"
    )

    message = composer.compose(letter, now=NOW)
    parts = composer.parts(letter, now=NOW)

    assert message["Bcc"] is None
    assert "&lt;b&gt;bold" in parts.html
    assert "Zoë &lt;script&gt;" in parts.html
    assert "Dear Zoë <script>," in parts.text
