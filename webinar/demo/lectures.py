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

from webinar.media.demo_video import make_lecture
from webinar.media.packager import Packager
from webinar.media.poster import poster
from webinar.media.segments import PackagedSegment
from webinar.media.shelf import MediaShelf

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
class Reel:
    """A packaged recording: in the storage, under its own keys, in no database yet."""

    public_id: str
    segments: tuple[PackagedSegment, ...]


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
            made = pool.map(lambda film: _made(clips[film], film, seconds), films)
            pictures = {}
            for number, (film, picture) in enumerate(zip(films, made, strict=True), 1):
                pictures[film] = picture
                say(f"  lecture {number}/{len(films)}: {film.title}")
            done = pool.map(
                lambda name, one: _packaged(
                    shelf, name, clips[one.film], pictures[one.film], one.started_at
                ),
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


def _made(clip: Path, film: Film, seconds: int) -> bytes:
    """Write the clip; the picture shown before it plays."""
    make_lecture(
        clip,
        title=film.title,
        faculty=list(film.faculty),
        society=film.society,
        topic=film.topic,
        seconds=seconds,
    )
    return poster(clip)


def _packaged(
    shelf: MediaShelf, public_id: str, clip: Path, picture: bytes, started_at: datetime
) -> Reel:
    segments: list[PackagedSegment] = []
    work = shelf.work / f"demo-{public_id}"
    try:
        Packager(shelf.storage, shelf.keys, work).package_file(
            clip, public_id, segments.append, started_at=started_at, progress=lambda share: None
        )
    finally:
        shutil.rmtree(work, ignore_errors=True)
    shelf.storage.put(f"recordings/{public_id}/poster.jpg", picture)
    return Reel(public_id, tuple(segments))
