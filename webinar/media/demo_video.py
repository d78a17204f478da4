"""A short lecture for the demonstration season: invented slides, a bar that moves, a quiet room."""

import json
from dataclasses import asdict, dataclass
from importlib import resources
from pathlib import Path
from tempfile import TemporaryDirectory

import typst

from webinar.media.ffmpeg import run

PICTURE_DOTS_PER_INCH = 144  # the page of 640 x 360 pt becomes 1280 x 720 dots
FRAMES_PER_SECOND = 5  # slides stand still; only the bar moves
BAR_DOTS = 5
ACCENT = "0x0b5c5e"
TIMEOUT_SECONDS = 600


@dataclass(frozen=True)
class ShownSlide:
    """A slide as it is seen: a JPEG, what stands on it, and from which second on."""

    jpeg: bytes
    heading: str
    points: tuple[str, ...]
    starts_seconds: float


@dataclass(frozen=True)
class Slide:
    """A heading and what is said under it; `figure` is one of those below, or nothing."""

    heading: str
    points: tuple[str, ...] = ()
    figure: dict[str, object] | None = None


def make_lecture(
    out: Path,
    *,
    title: str,
    faculty: list[str],
    society: str,
    topic: str = "Oncology",
    seconds: int = 90,
) -> list[ShownSlide]:
    """Write the lecture as MP4, or as Matroska when `out` ends in .webm or .mkv; its slides.

    H.264 and AAC with a keyframe every two seconds: a take store accepts the Matroska, a packager
    copies either without encoding. Everything in it is invented, and every slide says so.
    """
    slides = _slides(topic)
    with TemporaryDirectory(prefix="lecture-") as folder:
        pages = _pages(
            slides, title=title, faculty=faculty, society=society, topic=topic, seconds=seconds
        )
        for number, page in enumerate(pages):
            (Path(folder) / f"slide{number:02d}.png").write_bytes(page)
        run(
            ["-y", *_inputs(Path(folder), len(pages), seconds), *_encoding(seconds), *_kind(out)],
            timeout_seconds=TIMEOUT_SECONDS,
        )
        pictures = ["-i", f"{folder}/slide%02d.png", "-pix_fmt", "yuvj420p", "-q:v", "3"]
        run(["-y", *pictures, f"{folder}/slide%02d.jpg"], timeout_seconds=TIMEOUT_SECONDS)
        heading = [title, *(slide.heading for slide in slides[1:])]
        return [
            # ffmpeg counts what it writes from 1.
            ShownSlide(
                (Path(folder) / f"slide{number + 1:02d}.jpg").read_bytes(),
                heading[number],
                slide.points,
                seconds * number / len(slides),
            )
            for number, slide in enumerate(slides)
        ]


def _pages(
    slides: list[Slide], *, title: str, faculty: list[str], society: str, topic: str, seconds: int
) -> list[bytes]:
    """The slides as PNG pictures."""
    starts = [seconds * number // len(slides) for number in range(len(slides))]
    lecture = {
        "title": title,
        "faculty": faculty,
        "society": society,
        "topic": topic,
        "slides": [_without_nothing(slide) for slide in slides],
        "marks": [f"from {start // 60:02d}:{start % 60:02d}" for start in starts],
    }
    pages = typst.compile(
        resources.files("webinar.media").joinpath("demo_slides.typ").read_bytes(),
        format="png",
        ppi=PICTURE_DOTS_PER_INCH,
        ignore_system_fonts=True,
        sys_inputs={"lecture": json.dumps(lecture, ensure_ascii=False)},
    )
    return pages if isinstance(pages, list) else [pages]


def _without_nothing(slide: Slide) -> dict[str, object]:
    return {name: value for name, value in asdict(slide).items() if value is not None}


def _inputs(folder: Path, slides: int, seconds: int) -> list[str]:
    each = seconds / slides
    room = f"anoisesrc=color=brown:amplitude=0.02:r=24000:d={seconds}"
    # A soft bell at each new slide: two tones that fade within a second.
    since = f"mod(t\\,{each:.6f})"
    bell = f"0.05*(sin(2*PI*392*t)+0.6*sin(2*PI*588*t))*exp(-5*{since})"
    return [
        *["-framerate", f"{slides}/{seconds}", "-i", str(folder / "slide%02d.png")],
        *["-f", "lavfi", "-i", f"color=c={ACCENT}:s=1280x{BAR_DOTS}:r={FRAMES_PER_SECOND}"],
        *["-f", "lavfi", "-i", room],
        *["-f", "lavfi", "-i", f"aevalsrc={bell}:s=24000:d={seconds}"],
    ]


def _encoding(seconds: int) -> list[str]:
    picture = (
        f"[0:v]tpad=stop_mode=clone:stop_duration={seconds},fps={FRAMES_PER_SECOND}[slides];"
        f"[slides][1:v]overlay=x='-W+W*t/{seconds}':y=H-{BAR_DOTS},format=yuv420p[picture];"
        "[2:a][3:a]amix=inputs=2:normalize=0,aresample=48000[sound]"
    )
    keyframes = ["-g", str(2 * FRAMES_PER_SECOND), "-sc_threshold", "0"]
    return [
        *["-filter_complex", picture, "-map", "[picture]", "-map", "[sound]", "-t", str(seconds)],
        *["-c:v", "libx264", "-preset", "veryfast", "-tune", "stillimage", "-crf", "24"],
        *[*keyframes, "-c:a", "aac", "-b:a", "48k", "-ac", "1"],
    ]


def _kind(out: Path) -> list[str]:
    if out.suffix in (".webm", ".mkv"):
        return ["-f", "matroska", "-cluster_time_limit", "1000", str(out)]
    return ["-movflags", "+faststart", "-f", "mp4", str(out)]


def _slides(topic: str) -> list[Slide]:
    of_topic = topic[:1].lower() + topic[1:]
    return [
        Slide("Title"),
        Slide(
            "After this session you can",
            (
                f"name the questions to settle before treatment in {of_topic}",
                "read a survival curve with its numbers at risk",
                "explain benefit and harm in words a patient can use",
                "say when to ask the multidisciplinary board again",
            ),
        ),
        Slide(
            "A case to begin with",
            (
                "Woman, 58, otherwise well, works full time",
                "Found by chance; two opinions already heard",
                "Asks first: what happens if we wait?",
            ),
            {
                "kind": "steps",
                "steps": ("Findings and stage", "Fitness and wishes", "Board decision", "Review"),
            },
        ),
        Slide(
            "What the study asked",
            (
                "Two strategies, one question, decided in advance",
                "Main outcome: alive without progression",
                "Invented for this demonstration, like all numbers here",
            ),
            {
                "kind": "curves",
                "axis": "months since the start (invented), % without progression",
                "arms": (
                    {
                        "name": "new strategy",
                        "falls": (0.03, 0.05, 0.06, 0.05, 0.06, 0.05, 0.04, 0.05, 0.03, 0.02),
                    },
                    {
                        "name": "usual care",
                        "falls": (0.06, 0.09, 0.11, 0.09, 0.08, 0.08, 0.07, 0.06, 0.05, 0.04),
                    },
                ),
            },
        ),
        Slide(
            "What patients notice",
            (
                "Ask by name; few mention it unasked",
                "Most settle within weeks",
                "Write down who to call, day and night",
            ),
            {
                "kind": "bars",
                "bars": (
                    {"name": "tiredness", "share": 46},
                    {"name": "poor appetite", "share": 28},
                    {"name": "skin", "share": 17},
                    {"name": "stopped early", "share": 8},
                ),
            },
        ),
        Slide(
            "Around the table",
            (
                "Surgeon: is it better now, or better later?",
                "Pathologist: which result would change the plan?",
                "Nurse: who is at home, and who drives?",
                "Patient: what do I gain, in months and in good days?",
            ),
        ),
        Slide(
            "Take home",
            (
                "Settle the question before choosing the test",
                "Absolute numbers first, relative ones never alone",
                "Review the plan when the facts change, not the calendar",
                "Questions: write them in the box beside the picture",
            ),
        ),
    ]
