from dataclasses import replace
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path

import pytest

from webinar.domain.letter import MailKind
from webinar.domain.mail_marks import message_mark, return_mark, stop_token
from webinar.domain.mail_wishes import topic_of
from webinar.mail.compose import Composer
from webinar.mail.message import ReadyMail
from webinar.mail.samples import NOW, SESSION, sample_letter

SECRET = "a secret of the tests, long enough to start"
TEMPLATES = Path(__file__).resolve().parents[2] / "templates" / "mail"


@pytest.fixture
def composer() -> Composer:
    return Composer(
        TEMPLATES,
        public_url="https://rounds.example",
        site_name="Grand Rounds Online",
        sender="Grand Rounds Online <webinars@rounds.example>",
        home_zone="Europe/Zurich",
        secret=SECRET,
        return_address="bounces@rounds.example",
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


def read(mail: ReadyMail) -> EmailMessage:
    assert b"\n" not in mail.content.replace(b"\r\n", b"")
    assert max(len(line) for line in mail.content.split(b"\r\n")) <= 998
    return message_from_bytes(mail.content, policy=policy.default)


def test_a_message_is_text_first_and_known_again_when_it_comes_twice(composer: Composer) -> None:
    letter = replace(sample_letter(MailKind.SIGN_IN_LINK), delivery_id=7)

    first, again = composer.compose(letter, now=NOW), composer.compose(letter, now=NOW)
    other = composer.compose(replace(letter, delivery_id=8), now=NOW)

    message = read(first)
    kinds = [part.get_content_type() for part in message.iter_parts()]
    assert kinds == ["text/plain", "text/html"]
    assert (message["From"], message["To"]) == (
        "Grand Rounds Online <webinars@rounds.example>",
        "Dr Anna Keller <anna.keller@example.net>",
    )
    assert message["Auto-Submitted"] == "auto-generated"
    assert message["Message-ID"] == f"<{first.message_id}>"
    assert first == again
    assert first.message_id != other.message_id
    assert first.message_id.endswith("@rounds.example")


@pytest.mark.parametrize("kind", MailKind)
def test_what_is_worded_for_many_says_the_same_to_each(composer: Composer, kind: MailKind) -> None:
    anna = replace(sample_letter(kind), user_id=1, delivery_id=1)
    zoe = replace(anna, name="Zoë O'Brien <i>", email="zoe@example.net", user_id=2, delivery_id=2)
    composer.compose(anna, now=NOW)

    message = read(composer.compose(zoe, now=NOW))
    parts = composer.parts(zoe, now=NOW)

    text, html = message.get_body(("plain",)), message.get_body(("html",))
    assert text is not None
    assert html is not None
    assert message["Subject"] == parts.subject
    assert text.get_content().replace("\r\n", "\n") == parts.text
    assert html.get_content().replace("\r\n", "\n").rstrip("\n") == parts.html.rstrip("\n")
    assert message["To"] == '"Zoë O\'Brien <i>" <zoe@example.net>'


@pytest.mark.parametrize("kind", MailKind)
def test_what_may_be_refused_is_refused_by_one_press(composer: Composer, kind: MailKind) -> None:
    letter = replace(sample_letter(kind), user_id=4711)

    message = read(composer.compose(letter, now=NOW))
    parts = composer.parts(letter, now=NOW)

    topic = topic_of(kind)
    if topic is None:
        assert message["List-Unsubscribe"] is None
        assert "Stop mails of this kind" not in parts.text + parts.html
        return
    address = f"https://rounds.example/unsubscribe/{stop_token(SECRET, 4711, topic)}"
    assert message["List-Unsubscribe"] == f"<{address}>"
    assert message["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert f"Stop mails of this kind: {address}\n" in parts.text
    assert f'href="{address}"' in parts.html


def test_a_mail_that_comes_back_says_which_it_was(composer: Composer) -> None:
    letter = replace(sample_letter(MailKind.SIGN_IN_LINK), delivery_id=9, created_at=NOW)

    mail = composer.compose(letter, now=NOW)

    seen = message_mark(SECRET, 9, NOW)
    assert mail.sender == f"bounces+{return_mark(SECRET, 9, NOW)}@rounds.example"
    assert mail.message_id == f"sign_in_link.{seen}@rounds.example"


def test_no_reader_of_a_mail_sees_where_it_comes_back_to(composer: Composer) -> None:
    letter = replace(sample_letter(MailKind.SESSION_REMINDER), delivery_id=9, created_at=NOW)

    mail = composer.compose(letter, now=NOW)

    assert return_mark(SECRET, 9, NOW).encode() not in mail.content


@pytest.mark.parametrize(
    "name",
    ["Dr. Ελένη Παπαδοπούλου", "O'Brien, Ann (Prof.)", "Ann " * 40, 'A "B" C\\', "名前", "x" * 200],
)
def test_names_of_every_kind_come_through(composer: Composer, name: str) -> None:
    letter = replace(sample_letter(MailKind.SESSION_REMINDER), name=name.strip())

    message = read(composer.compose(letter, now=NOW))

    [to] = message["To"].addresses
    assert (to.display_name, to.addr_spec) == (name.strip(), "anna.keller@example.net")


@pytest.mark.parametrize(
    "title", ["Zoë and " * 20, "名" * 60, "A long title of plain words " * 8, "x" * 300]
)
def test_titles_of_every_kind_come_through(composer: Composer, title: str) -> None:
    letter = replace(
        sample_letter(MailKind.SESSION_REMINDER), session=replace(SESSION, title=title.strip())
    )

    message = read(composer.compose(letter, now=NOW))

    assert message["Subject"] == composer.parts(letter, now=NOW).subject


def test_what_people_typed_is_only_text(composer: Composer) -> None:
    session = replace(SESSION, title='A <b>bold</b> "title" & more\r\nBcc: all@example.net')
    letter = replace(
        sample_letter(MailKind.SESSION_CANCELLED), session=session, name="Zoë <script>"
    )

    message = read(composer.compose(letter, now=NOW))
    parts = composer.parts(letter, now=NOW)

    assert message["Bcc"] is None
    assert "&lt;b&gt;bold" in parts.html
    assert "Zoë &lt;script&gt;" in parts.html
    assert "Dear Zoë <script>," in parts.text
