"""The recording desk in the browser's terms: what it shows, takes, refuses."""

import json
from collections.abc import Callable
from io import BytesIO
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select
from werkzeug.test import TestResponse

from tests.builders import make_faculty, make_society, make_user
from tests.queries import counted
from tests.recorded import make_recorded
from webinar.db import DbSession
from webinar.domain.access import Role
from webinar.domain.captions import Cue, read_webvtt
from webinar.domain.recording import RecordingState
from webinar.media.ffmpeg import run
from webinar.models import (
    AuditEvent,
    Delivery,
    Recording,
    RecordingCaption,
    RecordingChapter,
    RecordingSlide,
    User,
    UserRole,
)
from webinar.services import captions, chapters, slides
from webinar.tools import media_shelf

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)

WHOLE = "[[0, 16000]]"
VTT = b"WEBVTT\n\n00:01.000 --> 00:03.000\nGood evening\n\n00:05.000 --> 00:07.500\nThe node\n"


@pytest.fixture
def data_dir(app: Flask) -> Path:
    folder: Path = app.extensions["config"].DATA_DIR
    return folder


@pytest.fixture
def recording(db: DbSession, data_dir: Path) -> Recording:
    return make_recorded(db, data_dir)[0]


def path_of(recording: Recording, rest: str = "") -> str:
    return f"/manage/sessions/{recording.session.public_id}/recording{rest}"


def post(client: FlaskClient, recording: Recording, rest: str, **form: object) -> TestResponse:
    return client.post(path_of(recording, rest), data=form)


def kept(db: DbSession, recording: Recording) -> list[list[int]] | None:
    found = db.scalars(select(Recording.kept).where(Recording.id == recording.id)).one()
    db.commit()
    return found


def again(db: DbSession, recording: Recording) -> Recording:
    """The recording and its session as they are stored now."""
    db.refresh(recording)
    db.refresh(recording.session)
    db.commit()
    return recording


def actions(db: DbSession) -> list[str]:
    found = list(db.scalars(select(AuditEvent.action).order_by(AuditEvent.id)))
    db.commit()
    return found


def bring_in(
    client: FlaskClient, recording: Recording, data: bytes = VTT, *, language: str = "en"
) -> TestResponse:
    """Sent as a browser does, byte by byte: the client's own way leaves a file open."""
    head = "--border\r\nContent-Disposition: form-data; name="
    body = f'{head}"language"\r\n\r\n{language}\r\n{head}"label"\r\n\r\nEnglish\r\n'
    body += f'{head}"captions"; filename="a.vtt"\r\nContent-Type: text/vtt\r\n\r\n'
    return client.post(
        path_of(recording, "/captions"),
        data=body.encode() + data + b"\r\n--border--\r\n",
        content_type="multipart/form-data; boundary=border",
    )


def pdf(folder: Path, *, pages: int) -> bytes:
    """As small as a PDF with words can be."""
    objects = ["<</Type/Catalog/Pages 2 0 R>>"]
    kids = " ".join(f"{3 + 2 * number} 0 R" for number in range(pages))
    font = "<</Font<</F<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>>>>>"
    objects.append(f"<</Type/Pages/Count {pages}/Kids[{kids}]/MediaBox[0 0 400 300]>>")
    for number in range(pages):
        text = f"BT /F 24 Tf 40 200 Td (Slide of part {number + 1}) Tj ET"
        objects.append(
            f"<</Type/Page/Parent 2 0 R/Contents {4 + 2 * number} 0 R/Resources {font}>>"
        )
        objects.append(f"<</Length {len(text)}>>stream\n{text}\nendstream")
    body, starts = "%PDF-1.4\n", []
    for number, content in enumerate(objects, start=1):
        starts.append(len(body))
        body += f"{number} 0 obj{content}endobj\n"
    table = "".join(f"{start:010} 00000 n \n" for start in starts)
    end = f"xref\n0 {len(objects) + 1}\n0000000000 65535 f \n{table}"
    end += f"trailer<</Size {len(objects) + 1}/Root 1 0 R>>\nstartxref\n{len(body)}\n%%EOF\n"
    return (body + end).encode()


def test_before_there_is_a_recording_the_desk_says_so(
    organiser: FlaskClient, session: object, db: DbSession
) -> None:
    answer = organiser.get(f"/manage/sessions/{session.public_id}/recording")  # type: ignore[attr-defined]

    assert answer.status_code == 200
    assert "still to come" in answer.text
    assert "Look before publishing" in answer.text


def test_the_desk_plays_before_publication_for_who_may_publish_and_for_nobody_else(
    organiser: FlaskClient,
    recording: Recording,
    db: DbSession,
    signed_in_as: Callable[[User], FlaskClient],
) -> None:
    other = make_user(db, roles=(Role.ACCREDITATION_OFFICER,))
    elsewhere = make_user(db)
    elsewhere.grants.append(UserRole(role=Role.ORGANISER, society_id=make_society(db).id))
    db.commit()

    page = organiser.get(path_of(recording))

    assert page.status_code == 200
    assert f'data-kept="{WHOLE}"' in page.text
    assert [
        signed_in_as(person).get(path_of(recording)).status_code for person in (other, elsewhere)
    ] == [403, 403]


def test_the_desk_asks_the_database_a_dozen_times_at_most(
    organiser: FlaskClient, recording: Recording, app: Flask
) -> None:
    bring_in(organiser, recording)
    organiser.get(path_of(recording))

    with counted(app.extensions["engine"]) as statements:
        organiser.get(path_of(recording))

    assert len(statements) <= 12, statements


def test_a_trim_keeps_what_was_asked_for_and_says_exactly_what_became_of_it(
    organiser: FlaskClient, recording: Recording, db: DbSession
) -> None:
    answer = post(organiser, recording, "/trim", begin="0:05", end="0:16", kept=WHOLE)

    assert answer.status_code == 302
    assert kept(db, recording) == [[4000, 16000]]
    page = organiser.get(path_of(recording)).text
    assert "begins at 0:04 and ends at 0:16" in page
    assert "The beginning, up to 0:04" in page
    assert actions(db)[-1] == "recording trimmed"


def test_a_cut_takes_all_that_was_marked_and_is_undone_with_one_press(
    organiser: FlaskClient, recording: Recording, db: DbSession
) -> None:
    post(organiser, recording, "/cut", **{"from": "0:05", "to": "0:06", "kept": WHOLE})
    cut = kept(db, recording)

    post(organiser, recording, "/cut/undo", start="4000", end="8000")

    assert cut == [[0, 4000], [8000, 16000]]
    assert kept(db, recording) is None
    assert actions(db)[-2:] == ["recording cut", "recording cut undone"]


def test_after_a_cut_times_are_those_the_player_shows(
    organiser: FlaskClient, recording: Recording, db: DbSession
) -> None:
    post(organiser, recording, "/cut", **{"from": "4", "to": "8", "kept": WHOLE})

    seen = "[[0, 4000], [8000, 16000]]"
    post(organiser, recording, "/cut", **{"from": "0:04", "to": "0:08", "kept": seen})

    assert kept(db, recording) == [[0, 4000], [12000, 16000]]


def test_cuts_that_make_no_sense_are_refused_beside_the_field_and_keep_what_was_typed(
    organiser: FlaskClient, recording: Recording, db: DbSession
) -> None:
    tried = [("0", "16"), ("9", "5"), ("-3", "5"), ("5", "5"), ("x", "5"), ("5", "99"), ("", "")]
    refused = []
    for start, end in tried:
        answer = post(organiser, recording, "/cut", **{"from": start, "to": end, "kept": WHOLE})
        typed = f'name="to" type="text" value="{end}"'
        if answer.status_code == 422 and 'id="f-from-error"' in answer.text:
            refused += [(start, end)] if typed in answer.text else []

    assert refused == tried
    assert kept(db, recording) is None


def test_a_cut_made_by_times_that_have_moved_is_refused(
    organiser: FlaskClient, recording: Recording, db: DbSession
) -> None:
    seen = ["[[0, 8000]]", "", "x", "null", "[[9, 3]]", "[1]", '[["a", 2]]', "[]", "{}"]
    answers = [
        post(organiser, recording, "/cut", **{"from": "5", "to": "6", "kept": one}) for one in seen
    ]

    assert [answer.status_code for answer in answers] == [409] * len(seen)
    assert kept(db, recording) is None


def test_a_picture_of_the_recording_becomes_its_poster(
    organiser: FlaskClient, recording: Recording, db: DbSession, app: Flask
) -> None:
    answer = post(organiser, recording, "/poster/still", at="0:09.5", kept=WHOLE)

    assert answer.status_code == 302
    storage = media_shelf(app.extensions["config"]).storage
    assert storage.read(f"recordings/{recording.public_id}/poster.jpg")[:3] == b"\xff\xd8\xff"
    assert again(db, recording).has_poster


def test_a_poster_is_a_picture_whatever_the_file_is_called(
    organiser: FlaskClient, recording: Recording
) -> None:
    form = {"poster": (BytesIO(b"<svg onload=alert(1)>"), "poster.jpg")}

    answer = organiser.post(path_of(recording, "/poster"), data=form)

    assert answer.status_code == 422
    assert "JPEG, PNG or WebP" in answer.text


def test_chapters_are_kept_as_they_stand_in_the_form(
    organiser: FlaskClient, recording: Recording, db: DbSession
) -> None:
    form = {
        "kept": WHOLE,
        "chapters": "[]",
        "time": ["0:08", "0", ""],
        "title": ["Node", "Start", ""],
    }
    post(organiser, recording, "/chapters", **form)
    first = [(one.starts_seconds, one.title) for one in chapters.listed(db, recording.id)]
    db.commit()

    seen = '[[0, "Start"], [8000, "Node"]]'
    form = {"kept": WHOLE, "chapters": seen, "time": ["0:00", "0:08"], "title": ["", "The node"]}
    post(organiser, recording, "/chapters", **form)

    assert first == [(0.0, "Start"), (8.0, "Node")]
    after = [(one.starts_seconds, one.title) for one in chapters.listed(db, recording.id)]
    assert after == [(8.0, "The node")]


def test_chapters_that_make_no_sense_are_refused(
    organiser: FlaskClient, recording: Recording
) -> None:
    tried = [("0:20", "Late"), ("x7", "No time"), ("0:01", "t" * 201)]
    answers = [
        post(organiser, recording, "/chapters", kept=WHOLE, chapters="[]", time=[at], title=[title])
        for at, title in tried
    ]

    assert [answer.status_code for answer in answers] == [422] * len(tried)
    for (at, title), answer in zip(tried, answers, strict=True):
        assert f'value="{at}"' in answer.text
        assert f'value="{title}"' in answer.text


def test_chapters_somebody_else_changed_are_not_overwritten(
    organiser: FlaskClient, recording: Recording, db: DbSession
) -> None:
    db.add(RecordingChapter(recording_id=recording.id, starts_seconds=4.0, title="Theirs"))
    db.commit()
    form = {"kept": WHOLE, "chapters": "[]", "time": ["0"], "title": ["Mine"]}

    assert post(organiser, recording, "/chapters", **form).status_code == 409


def stored_captions(app: Flask, recording: Recording) -> list[str]:
    storage = media_shelf(app.extensions["config"]).storage
    return [name for name in storage.names(f"recordings/{recording.public_id}") if ".vtt" in name]


def test_captions_come_in_and_say_what_was_read(
    organiser: FlaskClient, recording: Recording, db: DbSession, app: Flask
) -> None:
    answer = bring_in(organiser, recording)

    assert answer.status_code == 302
    assert "2 cues read from WebVTT in UTF-8" in organiser.get(path_of(recording)).text
    caption = captions.of_language(db, recording.id, "en")
    storage = media_shelf(app.extensions["config"]).storage
    assert captions.cues_of(caption, storage)[0] == Cue(1000, 3000, "Good evening")


def test_captions_brought_in_after_a_cut_lie_in_source_time_and_are_shown_where_they_belong(
    organiser: FlaskClient, recording: Recording, db: DbSession, app: Flask
) -> None:
    post(organiser, recording, "/cut", **{"from": "0", "to": "4", "kept": WHOLE})

    bring_in(organiser, recording)

    storage = media_shelf(app.extensions["config"]).storage
    caption = captions.of_language(db, recording.id, "en")
    assert captions.cues_of(caption, storage)[0] == Cue(5000, 7000, "Good evening")
    text = captions.shown(db, again(db, recording), "en", storage)
    assert read_webvtt(text)[0] == Cue(1000, 3000, "Good evening")


def test_broken_captions_are_refused_with_the_line(
    organiser: FlaskClient, recording: Recording, db: DbSession
) -> None:
    tried = {
        "Choose a file first": b"",
        "no text file": b"\x00\x01\x02PK",
        "neither WebVTT nor SRT": b"hello\nworld\n",
        "Line 3 is no timing": b"WEBVTT\n\n00:01.000 -> 00:02.000\nx\n",
        "Line 3 ends before it begins": b"WEBVTT\n\n00:05.000 --> 00:02.000\nx\n",
        "no words": b"WEBVTT\n\n00:01.000 --> 00:02.000\n\n",
        "more than 20000": b"WEBVTT\n\n" + b"00:01.000 --> 00:02.000\nx\n\n" * 100_000,
        "more than 4 MB": b"WEBVTT\n" + b"x" * (5 * 1024 * 1024),
    }
    told = []
    for words, data in tried.items():
        answer = bring_in(organiser, recording, data)
        if answer.status_code == 422 and words in answer.text:
            told.append(words)

    assert told == list(tried)
    assert captions.listed(db, recording.id) == []


def cue_form(cue: Cue, number: int = 0, **typed: str) -> dict[str, str]:
    was = json.dumps([cue.from_ms, cue.to_ms, cue.text])
    form = {"from": "0:01", "to": "0:03", "text": cue.text} | typed
    return {f"was-{number}": was} | {f"{name}-{number}": text for name, text in form.items()}


def test_a_cue_is_changed_beside_the_player_and_the_words_before_are_deleted(
    organiser: FlaskClient, recording: Recording, db: DbSession, app: Flask
) -> None:
    bring_in(organiser, recording)
    page = organiser.get(path_of(recording, "/captions/en"))
    form = cue_form(Cue(1000, 3000, "Good evening"), text="Good evening, Zurich")

    answer = post(organiser, recording, "/captions/en", kept=WHOLE, **form)

    assert page.status_code == 200
    assert answer.status_code == 302
    storage = media_shelf(app.extensions["config"]).storage
    caption = captions.of_language(db, recording.id, "en")
    texts = [cue.text for cue in captions.cues_of(caption, storage)]
    assert texts == ["Good evening, Zurich", "The node"]
    assert caption.revision == 2
    assert stored_captions(app, recording) == [caption.name]


def test_two_people_change_different_cues_and_both_are_kept_but_not_the_same_one(
    organiser: FlaskClient, recording: Recording, db: DbSession, app: Flask
) -> None:
    bring_in(organiser, recording)
    first, second = Cue(1000, 3000, "Good evening"), Cue(5000, 7500, "The node")
    times = {"from": "0:05", "to": "0:07.5"}
    both = cue_form(first) | cue_form(second, 1, **times)

    post(organiser, recording, "/captions/en", kept=WHOLE, **both | {"text-0": "Mine"})
    other = post(organiser, recording, "/captions/en", kept=WHOLE, **both | {"text-1": "Yours"})
    same = post(organiser, recording, "/captions/en", kept=WHOLE, **both | {"text-0": "Too late"})

    assert (other.status_code, same.status_code) == (302, 409)
    assert "You wrote here: “Too late”" in same.text
    storage = media_shelf(app.extensions["config"]).storage
    caption = captions.of_language(db, recording.id, "en")
    assert [cue.text for cue in captions.cues_of(caption, storage)] == ["Mine", "Yours"]


def test_cues_that_make_no_sense_are_refused(organiser: FlaskClient, recording: Recording) -> None:
    bring_in(organiser, recording)
    cue = Cue(1000, 3000, "Good evening")
    tried = [{"text": "  "}, {"from": "0:04"}, {"from": "x"}, {"to": "-1"}, {"text": "x" * 1001}]
    answers = [
        post(organiser, recording, "/captions/en", kept=WHOLE, **cue_form(cue, **typed))
        for typed in tried
    ]

    assert [answer.status_code for answer in answers] == [422] * len(tried)


def test_captions_are_given_out_and_deleted(
    organiser: FlaskClient, recording: Recording, db: DbSession, app: Flask
) -> None:
    bring_in(organiser, recording)

    given = organiser.get(path_of(recording, "/captions/en.vtt"))
    post(organiser, recording, "/captions/en/remove")

    assert read_webvtt(given.text) == (Cue(1000, 3000, "Good evening"), Cue(5000, 7500, "The node"))
    assert db.scalars(select(RecordingCaption)).all() == []
    assert stored_captions(app, recording) == []


def test_a_language_is_a_short_code(organiser: FlaskClient, recording: Recording) -> None:
    tried = ["../x", "EN", "english-please-now", ""]
    answers = [bring_in(organiser, recording, language=language) for language in tried]

    assert [answer.status_code for answer in answers] == [422] * len(tried)


def test_pages_of_a_pdf_become_slides_with_their_words(
    organiser: FlaskClient, recording: Recording, db: DbSession, tmp_path: Path
) -> None:
    form = {"slides": (BytesIO(pdf(tmp_path, pages=2)), "talk.pdf")}

    answer = organiser.post(path_of(recording, "/slides"), data=form)

    assert answer.status_code == 302
    rows = slides.listed(db, recording.id)
    assert [(row.number, row.words) for row in rows] == [
        (1, "Slide of part 1"),
        (2, "Slide of part 2"),
    ]
    picture = organiser.get(path_of(recording, "/slides/2.jpg"))
    assert picture.data[:3] == b"\xff\xd8\xff"


def test_a_broken_pdf_is_refused_and_leaves_the_slides_there_are(
    organiser: FlaskClient, recording: Recording, db: DbSession
) -> None:
    db.add(RecordingSlide(recording_id=recording.id, number=1, name="recordings/x/slide-1.jpg"))
    db.commit()
    form = {"slides": (BytesIO(b"%PDF-1.4\nnothing\n%%EOF"), "talk.pdf")}

    answer = organiser.post(path_of(recording, "/slides"), data=form)

    assert answer.status_code == 422
    assert "cannot be opened" in answer.text
    assert len(slides.listed(db, recording.id)) == 1


def test_slides_get_times_and_chapters_follow_them(
    organiser: FlaskClient, recording: Recording, db: DbSession
) -> None:
    for number in (1, 2):
        db.add(
            RecordingSlide(
                recording_id=recording.id, number=number, name="x", words=f"Part {number}"
            )
        )
    db.commit()
    times = {"slide-1": "0:00", "slide-2": "0:08"}

    post(organiser, recording, "/slides/times", kept=WHOLE, **times)
    twice = post(
        organiser, recording, "/slides/times", kept=WHOLE, **{"slide-1": "8", "slide-2": "8"}
    )
    post(organiser, recording, "/chapters/slides")

    assert twice.status_code == 422
    assert [row.starts_seconds for row in slides.listed(db, recording.id)] == [0.0, 8.0]
    found = [(one.starts_seconds, one.title) for one in chapters.listed(db, recording.id)]
    assert found == [(0.0, "Part 1"), (8.0, "Part 2")]


def test_changes_of_the_picture_are_found_where_they_are(
    organiser: FlaskClient, recording: Recording
) -> None:
    answer = organiser.get(path_of(recording, "/scenes?from=0"))

    assert answer.json == {"changes": [4000, 8000, 12000], "next": None, "done": 4, "of": 4}


def test_a_recording_that_waits_is_named_on_the_first_page(
    organiser: FlaskClient, recording: Recording
) -> None:
    page = organiser.get("/manage/").text

    assert "1 recording to look at" in page
    assert f'href="{path_of(recording)}"' in page


def test_publishing_opens_the_window_and_tells_people(
    organiser: FlaskClient, recording: Recording, db: DbSession
) -> None:
    answer = post(organiser, recording, "/publish")

    assert answer.status_code == 302
    assert again(db, recording).state is RecordingState.PUBLISHED
    kinds = db.scalars(select(Delivery.kind)).all()
    assert kinds == ["recording_published"]
    assert "cannot be unpublished" in organiser.get(path_of(recording)).text


def test_what_was_held_back_is_published_with_a_reason_only(
    organiser: FlaskClient, recording: Recording, db: DbSession
) -> None:
    make_faculty(db, recording.session).consent_withdrawn_at = recording.created_at
    db.commit()

    without = post(organiser, recording, "/publish", reason=" ")
    having = post(organiser, recording, "/publish", reason="They agreed by mail.")

    assert (without.status_code, having.status_code) == (422, 302)
    assert "recording published without everybody&#39;s consent" not in without.text
    assert "recording published without everybody's consent" in actions(db)


def test_the_switch_makes_the_recording_wait(
    organiser: FlaskClient, recording: Recording, db: DbSession
) -> None:
    post(organiser, recording, "/review", reviews="y")

    assert again(db, recording).session.reviews_recording
    assert actions(db)[-1] == "look before publishing switched"


def test_the_desk_says_where_a_recording_stands(
    organiser: FlaskClient, recording: Recording, db: DbSession
) -> None:
    told = {
        RecordingState.RECORDING: "being recorded: 0:16 so far",
        RecordingState.PROCESSING: "Being finished: 0:16 are ready",
        RecordingState.READY: "nobody has seen it yet",
        RecordingState.PUBLISHED: "viewers see at once",
        RecordingState.CLOSED: "nobody can watch it any more",
        RecordingState.DESTROYED: "no longer exists",
    }
    said = []
    for state, words in told.items():
        recording.state = state
        recording.closes_at = recording.opens_at = recording.created_at
        db.commit()
        said += [state] if words in organiser.get(path_of(recording)).text else []

    assert said == list(RecordingState)


def test_a_closed_recording_is_not_edited_any_more(
    organiser: FlaskClient, recording: Recording, db: DbSession
) -> None:
    recording.state = RecordingState.CLOSED
    db.commit()

    answer = post(organiser, recording, "/cut", **{"from": "5", "to": "6", "kept": WHOLE})

    assert answer.status_code == 422
    assert kept(db, recording) is None


def test_a_photo_becomes_a_slide(
    organiser: FlaskClient, recording: Recording, db: DbSession, tmp_path: Path
) -> None:
    run(
        ["-f", "lavfi", "-i", "testsrc2=s=64x48", "-frames:v", "1", str(tmp_path / "a.png")],
        timeout_seconds=20,
    )
    form = {"slides": (BytesIO((tmp_path / "a.png").read_bytes()), "a.png")}

    answer = organiser.post(path_of(recording, "/slides"), data=form)

    assert answer.status_code == 302
    assert len(slides.listed(db, recording.id)) == 1


@pytest.mark.parametrize("damaged", ["[[0, Infinity]]", "[" * 60_000, "[[0, NaN]]"])
def test_a_form_that_comes_back_damaged_is_refused_and_no_fault_of_ours(
    organiser: FlaskClient, recording: Recording, damaged: str
) -> None:
    trim = post(organiser, recording, "/trim", kept=damaged, begin="0:01", end="0:02")
    chapters = post(organiser, recording, "/chapters", kept=WHOLE, chapters=damaged)

    assert (trim.status_code, chapters.status_code) == (409, 409)
