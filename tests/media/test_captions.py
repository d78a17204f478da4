import pytest

from webinar.domain.captions import BadCaptions, Cue
from webinar.media.captions import read_captions

SRT = (
    "1\n00:00:01,000 --> 00:00:02,500\nGrüezi\n\n"
    "2\n00:00:03,000 --> 00:00:04,000\n<b>Dä</b>\nzwöi\n"
)
CUES = (Cue(1_000, 2_500, "Grüezi"), Cue(3_000, 4_000, "Dä\nzwöi"))


@pytest.mark.parametrize(
    ("encoding", "told"),
    [
        ("utf-8", "UTF-8"),
        ("utf-8-sig", "UTF-8"),
        ("utf-16", "UTF-16"),
        ("utf-16-le", "UTF-16"),
        ("utf-16-be", "UTF-16"),
        ("latin-1", "Latin-1 (Windows)"),
    ],
)
def test_srt_is_read_in_the_encodings_programs_write(encoding: str, told: str):
    read = read_captions(SRT.encode(encoding))

    assert (read.cues, read.kind, read.encoding) == (CUES, "SRT", told)


def test_webvtt_loses_its_markup_and_keeps_its_words():
    text = (
        "WEBVTT - from a studio\n\nNOTE a remark\n\nSTYLE\n::cue { color: red }\n\n"
        "one\n00:01.000 --> 00:02.000 line:0 align:start\n<v Dr Weber>A &amp; <i>B</i></v>\n"
    )

    assert read_captions(text.encode()).cues == (Cue(1_000, 2_000, "A & B"),)


def test_lines_may_end_as_on_windows_and_on_old_macs():
    for end in ("\r\n", "\r"):
        assert read_captions(SRT.replace("\n", end).encode()).cues == CUES


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("WEBVTT\n\n00:01.000 --> 0x:02.000\nx\n", "Line 3 is no timing"),
        ("1\n00:00:01,000 -> 00:00:02,000\nx\n\n2\n00:00:03,000 --> 00:00:04,000\ny\n", "Line 2 "),
        ("WEBVTT\n\n00:01.000 --> 00:62.000\nx\n", "Line 3 has more than 59"),
        ("WEBVTT\n\n00:03.000 --> 00:02.000\nx\n", "Line 3 ends before it begins"),
        ("WEBVTT\n\n00:03.000 --> 00:03.000\nx\n", "must end after it begins"),
        ("WEBVTT\n\n99:00:00.000 --> 99:00:01.000\nx\n", "must end after it begins"),
        ("WEBVTT\n", "no words"),
        ("", "neither"),
    ],
)
def test_broken_files_are_refused_with_the_place(text: str, words: str):
    with pytest.raises(BadCaptions, match=words):
        read_captions(text.encode())
