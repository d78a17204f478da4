"""Captions: cues in source time, written as WebVTT, and as they lie in shown time after cuts."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from webinar.domain.edit import Kept, clock
from webinar.domain.errors import Conflict, DomainError

MOST_CUES = 20_000
LONGEST_TEXT = 1_000
LONGEST_MS = 24 * 3600 * 1000

LONGEST_LABEL = 60

_LANGUAGE = re.compile(r"[a-z]{2,3}(-[A-Z][a-z]{3})?(-([A-Z]{2}|[0-9]{3}))?")
_TIMING = re.compile(r"(?:(\d+):)?(\d\d):(\d\d)\.(\d{3}) --> (?:(\d+):)?(\d\d):(\d\d)\.(\d{3})")


class BadCaptions(DomainError):
    """Captions that cannot be taken; the sentence says where."""


@dataclass(frozen=True)
class Cue:
    """What stands under the picture for a while; times in milliseconds."""

    from_ms: int
    to_ms: int
    text: str

    def __post_init__(self) -> None:
        if not 0 <= self.from_ms < self.to_ms <= LONGEST_MS:
            raise BadCaptions(
                f"“{self.text[:40]}” would be shown from {clock(max(self.from_ms, 0))} to "
                f"{clock(max(self.to_ms, 0))}; it must end after it begins."
            )


class CuesChanged(Conflict):
    """Somebody else changed the very cues one wanted to change; the rest is as it was typed."""


@dataclass(frozen=True)
class Change:
    """What somebody did to one cue: `was` None is a new one, `now` None is one taken out."""

    was: Cue | None
    now: Cue | None


def ensure_language(language: str, label: str) -> None:
    """Raise BadCaptions unless this is a language tag (BCP 47: en, pt-BR, zh-Hans) with a name."""
    if len(language) > 16 or _LANGUAGE.fullmatch(language) is None:
        raise BadCaptions("Write the language as its short code, such as en, de or pt-BR.")
    if not label.strip() or len(label) > LONGEST_LABEL:
        raise BadCaptions("Say what viewers choose, such as English or Deutsch.")


def changed(cues: Sequence[Cue], changes: Iterable[Change]) -> tuple[Cue, ...]:
    """The cues with the changes, whatever others did to other cues meanwhile.

    Raises CuesChanged if a cue is not as it was, BadCaptions if there would be too many.
    """
    left = list(cues)
    for change in changes:
        if change.was is not None:
            if change.was not in left:
                raise CuesChanged(
                    f"Somebody else changed “{change.was.text[:60]}” at "
                    f"{clock(change.was.from_ms)} meanwhile. Look at it again; what you typed "
                    "is still here."
                )
            left.remove(change.was)
        if change.now is not None:
            left.append(change.now)
    if len(left) > MOST_CUES:
        raise BadCaptions(f"Captions have at most {MOST_CUES} cues.")
    return in_order(left)


def tidy_text(text: str) -> str:
    """The words of a cue: lines without blanks around, no empty line, no arrow."""
    lines = [" ".join(line.split()) for line in text.replace("\0", "").splitlines()]
    # Inside WebVTT an empty line ends a cue, and an arrow begins one.
    return "\n".join(line for line in lines if line).replace("-->", "→")


def in_order(cues: Iterable[Cue]) -> tuple[Cue, ...]:
    """As they are shown: by their beginning."""
    return tuple(sorted(cues, key=lambda cue: (cue.from_ms, cue.to_ms)))


def shown_cues(cues: Iterable[Cue], kept: Kept | None) -> tuple[Cue, ...]:
    """The cues in shown time: what was cut out falls out, what lies over a cut closes up."""
    if kept is None:
        return tuple(cues)
    shown = []
    before = 0
    for span in kept.spans:
        for cue in cues:
            start, end = max(cue.from_ms, span.start), min(cue.to_ms, span.end)
            if start < end:
                moved = before - span.start
                shown.append(replace(cue, from_ms=start + moved, to_ms=end + moved))
        before += span.end - span.start
    return _joined(shown)


def as_webvtt(cues: Iterable[Cue]) -> str:
    """WebVTT (W3C), the words as plain text: nothing in them is markup."""
    blocks = ["WEBVTT"]
    for cue in cues:
        words = cue.text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
        blocks.append(f"{_stamp(cue.from_ms)} --> {_stamp(cue.to_ms)}\n{words}")
    return "\n\n".join(blocks) + "\n"


def read_webvtt(text: str) -> tuple[Cue, ...]:
    """Back from `as_webvtt`, hours or none, and from nothing else; raises ValueError."""
    head, *blocks = text.rstrip("\n").split("\n\n")
    if head != "WEBVTT":
        raise ValueError("not captions of ours")
    cues = []
    for block in blocks:
        timing, _, words = block.partition("\n")
        found = _TIMING.fullmatch(timing)
        if found is None:
            raise ValueError(f"not a cue of ours: {timing}")
        numbers = [int(group or 0) for group in found.groups()]
        plain = words.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")
        cues.append(Cue(_milliseconds(numbers[:4]), _milliseconds(numbers[4:]), plain))
    return tuple(cues)


def _joined(cues: Sequence[Cue]) -> tuple[Cue, ...]:
    """A cue that lay over a cut is one again, if its halves meet."""
    whole: list[Cue] = []
    for cue in cues:
        if whole and whole[-1].text == cue.text and whole[-1].to_ms == cue.from_ms:
            whole[-1] = replace(whole[-1], to_ms=cue.to_ms)
        else:
            whole.append(cue)
    return in_order(whole)


def _stamp(milliseconds: int) -> str:
    seconds, thousandths = divmod(milliseconds, 1000)
    minutes, seconds = divmod(seconds, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours:02}:{minutes:02}:{seconds:02}.{thousandths:03}"


def _milliseconds(numbers: Sequence[int]) -> int:
    hours, minutes, seconds, thousandths = numbers
    return ((hours * 60 + minutes) * 60 + seconds) * 1000 + thousandths
