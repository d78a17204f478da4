"""HLS playlists (RFC 8216), written from a list of segments. Pure: no files, no clock."""

from collections.abc import Callable, Sequence, Set
from dataclasses import dataclass
from datetime import UTC
from typing import TypeVar

from webinar.domain.errors import NotFound
from webinar.media.segments import ListedSegment

# Who was away for a dozen seconds finds the thread again.
LIVE_WINDOW = 15
SEGMENT_SECONDS = 2

S = TypeVar("S", bound=ListedSegment)


class NoPictureYet(NotFound):
    """Nothing was packaged yet."""


@dataclass(frozen=True)
class Variant:
    """One form of the same programme; `bits_per_second` is that of its largest segment."""

    uri: str
    bits_per_second: int
    average_bits_per_second: int
    resolution: str = ""  # "640x360"; "" where it is not known


def master_playlist(variants: Sequence[Variant]) -> str:
    """What a player may choose from, the best first."""
    lines = ["#EXTM3U", "#EXT-X-VERSION:3", "#EXT-X-INDEPENDENT-SEGMENTS"]
    for variant in variants:
        resolution = f",RESOLUTION={variant.resolution}" if variant.resolution else ""
        lines += [
            f"#EXT-X-STREAM-INF:BANDWIDTH={variant.bits_per_second},"
            f"AVERAGE-BANDWIDTH={variant.average_bits_per_second}{resolution}",
            variant.uri,
        ]
    return "\n".join(lines) + "\n"


def live_playlist(
    segments: Sequence[S],
    *,
    key_uri: Callable[[int], str],
    segment_uri: Callable[[S], str],
    window: int = LIVE_WINDOW,
    discontinuities_before: int = 0,
    ended: bool = False,
) -> str:
    """The last `window` of the segments given, as a list that slides.

    It is enough to pass the latest segments, `window` of them or more, with the number of
    discontinuities among the ones left out. Raises NoPictureYet when there are none.
    """
    if not segments:
        raise NoPictureYet("There is no picture yet. The page starts by itself when it comes.")
    passed, shown = segments[:-window], segments[-window:]
    discontinuities = discontinuities_before + sum(one.discontinuity for one in passed)
    lines = [
        *_header(segments),
        f"#EXT-X-MEDIA-SEQUENCE:{shown[0].sequence}",
        f"#EXT-X-DISCONTINUITY-SEQUENCE:{discontinuities}",
        *_entries(shown, key_uri, segment_uri),
    ]
    if ended:
        lines.append("#EXT-X-ENDLIST")
    return "\n".join(lines) + "\n"


def recording_playlist(
    segments: Sequence[S],
    *,
    key_uri: Callable[[int], str],
    segment_uri: Callable[[S], str],
    after_cut: Set[int] = frozenset(),
) -> str:
    """Every segment, from the beginning, to the end. Raises NoPictureYet when there are none.

    `after_cut` are the sequence numbers of those before which something was cut out.
    """
    if not segments:
        raise NoPictureYet("This recording holds no picture.")
    lines = [
        *_header(segments),
        "#EXT-X-PLAYLIST-TYPE:VOD",
        f"#EXT-X-MEDIA-SEQUENCE:{segments[0].sequence}",
        *_entries(segments, key_uri, segment_uri, after_cut),
        "#EXT-X-ENDLIST",
    ]
    return "\n".join(lines) + "\n"


def _header(segments: Sequence[S]) -> list[str]:
    # Every duration, rounded, is at most the target (RFC 8216, 4.3.3.1), which must not change
    # while a list slides: so never less than what the encoder aims at.
    longest = max(int(segment.duration_seconds + 0.5) for segment in segments)
    return [
        "#EXTM3U",
        "#EXT-X-VERSION:3",
        "#EXT-X-INDEPENDENT-SEGMENTS",
        f"#EXT-X-TARGETDURATION:{max(longest, SEGMENT_SECONDS)}",
    ]


def _entries(
    segments: Sequence[S],
    key_uri: Callable[[int], str],
    segment_uri: Callable[[S], str],
    after_cut: Set[int] = frozenset(),
) -> list[str]:
    lines = []
    for segment in segments:
        filmed = segment.programme_time.astimezone(UTC).replace(tzinfo=None)
        if segment.discontinuity or segment.sequence in after_cut:
            lines.append("#EXT-X-DISCONTINUITY")
        lines += [
            f'#EXT-X-KEY:METHOD=AES-128,URI="{key_uri(segment.key_number)}",IV=0x{segment.iv}',
            f"#EXT-X-PROGRAM-DATE-TIME:{filmed.isoformat(timespec='milliseconds')}Z",
            f"#EXTINF:{segment.duration_seconds:.6f},",
            segment_uri(segment),
        ]
    return lines
