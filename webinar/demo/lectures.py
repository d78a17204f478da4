"""Recordings for the demonstration: lectures made, packaged and waiting for their sessions."""

import secrets
import shutil
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory

from webinar.domain.captions import Cue, as_webvtt
from webinar.media.demo_video import ShownSlide, make_lecture
from webinar.media.packager import Packager
from webinar.media.poster import poster
from webinar.media.segments import PackagedSegment
from webinar.media.shelf import MediaShelf
from webinar.media.slides import slide_name

AT_ONCE = 2

Say = Callable[[str], None]


@dataclass(frozen=True)
class Film:
    """What a lecture's slides say."""

    title: str
    topic: str
    society: str
    faculty: tuple[str, ...]


@dataclass(frozen=True)
class Wanted:
    """A recording to make: of which film, and when it was on air."""

    film: Film
    started_at: datetime


@dataclass(frozen=True)
class Made:
    """A lecture on the disk: its clip, the picture before it plays, its slides."""

    clip: Path
    poster: bytes
    slides: tuple[ShownSlide, ...]


@dataclass(frozen=True)
class StoredSlide:
    """A slide whose picture lies in the storage."""

    name: str
    heading: str
    words: str
    starts_seconds: float


@dataclass(frozen=True)
class Reel:
    """A packaged recording: in the storage, under its own keys, in no database yet."""

    public_id: str
    segments: tuple[PackagedSegment, ...]
    slides: tuple[StoredSlide, ...]
    captions: str  # the name of the English ones in the storage
    cues: int


@contextmanager
def packaged(
    shelf: MediaShelf, wanted: Sequence[Wanted], *, seconds: int, say: Say
) -> Iterator[list[Reel]]:
    """Make and package what is wanted, in its order; each film is made once.

    What was stored is deleted again if the block fails.
    """
    reels: list[Reel] = []
    names = [secrets.token_hex(8) for _ in wanted]
    with (
        TemporaryDirectory(prefix="demo-lectures-") as folder,
        ThreadPoolExecutor(AT_ONCE, thread_name_prefix="demo") as pool,
    ):
        try:
            films = list(dict.fromkeys(one.film for one in wanted))
            clips = {film: Path(folder) / f"{n}.mp4" for n, film in enumerate(films)}
            found = pool.map(lambda film: _made(clips[film], film, seconds), films)
            lectures = {}
            for number, (film, made) in enumerate(zip(films, found, strict=True), 1):
                lectures[film] = made
                say(f"  lecture {number}/{len(films)}: {film.title}")
            done = pool.map(
                lambda name, one: _packaged(shelf, name, lectures[one.film], one.started_at),
                names,
                wanted,
            )
            for number, reel in enumerate(done, 1):
                reels.append(reel)
                if number % 5 == 0 or number == len(wanted):
                    say(f"  recording {number}/{len(wanted)} encrypted")
            yield reels
        except BaseException:
            for name in names:
                shelf.storage.delete_prefix(f"recordings/{name}")
                shelf.keys.destroy_all(name)
            raise


def _made(clip: Path, film: Film, seconds: int) -> Made:
    slides = make_lecture(
        clip,
        title=film.title,
        faculty=list(film.faculty),
        society=film.society,
        topic=film.topic,
        seconds=seconds,
    )
    return Made(clip, poster(clip), tuple(slides))


def _packaged(shelf: MediaShelf, public_id: str, made: Made, started_at: datetime) -> Reel:
    segments: list[PackagedSegment] = []
    work = shelf.work / f"demo-{public_id}"
    try:
        Packager(shelf.storage, shelf.keys, work).package_file(
            made.clip,
            public_id,
            segments.append,
            started_at=started_at,
            progress=lambda share: None,
        )
    finally:
        shutil.rmtree(work, ignore_errors=True)
    shelf.storage.put(f"recordings/{public_id}/poster.jpg", made.poster)
    slides = []
    for number, slide in enumerate(made.slides, 1):
        name = slide_name(public_id, number)
        shelf.storage.put(name, slide.jpeg)
        words = "\n".join([slide.heading, *slide.points])
        slides.append(StoredSlide(name, slide.heading, words, slide.starts_seconds))
    cues = list(_spoken(made.slides, sum(one.duration_seconds for one in segments)))
    captions = f"recordings/{public_id}/captions-en-1-{secrets.token_hex(8)}.vtt"
    shelf.storage.put(captions, as_webvtt(cues).encode())
    return Reel(public_id, tuple(segments), tuple(slides), captions, len(cues))


def _spoken(slides: Sequence[ShownSlide], seconds: float) -> Iterator[Cue]:
    """What a speaker would say: the heading, then one point after the other."""
    ends = [slide.starts_seconds for slide in slides[1:]] + [seconds]
    for slide, end in zip(slides, ends, strict=True):
        lines = [slide.heading, *slide.points]
        each = (end - slide.starts_seconds) / len(lines)
        for number, line in enumerate(lines):
            start = slide.starts_seconds + number * each
            yield Cue(round(start * 1000), round((start + each) * 1000), line)
