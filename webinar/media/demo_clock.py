"""A running clock for the demonstration speaker: drawn digits, chosen by the time of each frame.

ffmpeg's own text needs fonts that a machine may not have; these digits are set like the slides.
"""

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import typst

from webinar.domain.timezone import utc_offset_minutes
from webinar.domain.wording import city_of_zone
from webinar.media.demo_video import FRAMES_PER_SECOND, PICTURE_DOTS_PER_INCH

CELL = (16, 36)  # dots of one digit
PLACE = (968, 22)  # dots from the left and the top, under the edge of the slide
DAY = 24 * 60 * 60

_SHEET = """
#set page(width: auto, height: auto, margin: 0pt, fill: rgb("#faf7f0"))
#set text(font: "Libertinus Serif", size: 16pt, fill: rgb("#0b5c5e"), number-type: "lining",
  number-width: "tabular")
#let cell(it) = box(width: 8pt, height: 18pt, align(center + horizon, it))
"""


@dataclass(frozen=True)
class Clock:
    """The pictures a clock is put together from, and the wall time at the first frame."""

    digits: Path
    face: Path
    seconds_of_day: int

    @property
    def inputs(self) -> list[str]:
        """The two pictures, as endless inputs that follow input 0."""
        still = ["-loop", "1", "-framerate", str(FRAMES_PER_SECOND)]
        return [*still, "-i", str(self.face), *still, "-i", str(self.digits)]

    @property
    def filters(self) -> str:
        """From input 0, the face (1) and the digits (2) to `[picture]`."""
        width, height = CELL
        left, top = PLACE
        time = f"mod(t+{self.seconds_of_day},{DAY})"
        shown = [
            f"floor({time}/36000)",
            f"mod(floor({time}/3600),10)",
            f"floor(mod({time},3600)/600)",
            f"mod(floor({time}/60),10)",
            f"floor(mod({time},60)/10)",
            f"mod(floor({time}),10)",
        ]
        # Two digits, a colon of the face, two digits, a colon, two digits.
        columns = (0, 1, 3, 4, 6, 7)
        split = "".join(f"[d{number}]" for number in range(len(shown)))
        chain = [f"[2:v]split={len(shown)}{split}", f"[0:v][1:v]overlay={left}:{top}[p0]"]
        for number, (digit, column) in enumerate(zip(shown, columns, strict=True)):
            last = number == len(shown) - 1
            chain.append(f"[d{number}]crop={width}:{height}:'{width}*{digit}':0[c{number}]")
            chain.append(
                f"[p{number}][c{number}]overlay={left + column * width}:{top}"
                f"[{'picture' if last else f'p{number + 1}'}]"
            )
        return ";".join(chain)


def clock_in(folder: Path, *, now: datetime, zone: str) -> Clock:
    """Draw the pictures into the folder, for a stream that begins now."""
    local_seconds = int(now.timestamp()) + 60 * utc_offset_minutes(now, zone)
    clock = Clock(folder / "clock-digits.png", folder / "clock-face.png", local_seconds % DAY)
    digits = "".join(f"cell[{digit}]," for digit in range(10))
    clock.digits.write_bytes(_drawn(f"#stack(dir: ltr, {digits})"))
    blank, colon = "cell[],", "cell[:],"
    gaps = f"{blank * 2}{colon}{blank * 2}{colon}{blank * 2}"
    place = f"box(height: 18pt, align(horizon)[#h(4pt){city_of_zone(zone)}])"
    clock.face.write_bytes(_drawn(f"#stack(dir: ltr, {gaps}{place})"))
    return clock


def _drawn(content: str) -> bytes:
    picture = typst.compile(
        (_SHEET + content).encode(),
        format="png",
        ppi=PICTURE_DOTS_PER_INCH,
        ignore_system_fonts=True,
    )
    return picture[0] if isinstance(picture, list) else picture
