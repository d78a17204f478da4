"""What ffmpeg is told: one take or file in, every rendition out, cut into MPEG-TS segments.

Every segment of `main` and `low` has one picture and one sound track, whatever the source holds:
players do not survive a track that comes or goes. A source without sound gets silence, one
without picture a drawing of its sound; `audio` is the sound alone.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from webinar.domain.rendition import Rendition
from webinar.media.ffmpeg import SAFE_INPUT, Probe, VideoStream

LIVE_SEGMENT_SECONDS = 1
FILE_SEGMENT_SECONDS = 4
FILE_KEYFRAME_SECONDS = 2
LARGEST_WIDTH, LARGEST_HEIGHT = 1280, 720
LOW_SIZE = (640, 360)
MOST_FRAMES_PER_SECOND = 30
USUAL_FRAMES_PER_SECOND = 25
STILL_FRAMES_PER_SECOND = 5
SOUND_RATE = 48000
SILENCE = f"anullsrc=r={SOUND_RATE}:cl=stereo"
PICTURE_QUALITY = {
    Rendition.MAIN: ("-crf", "23", "-maxrate", "1800k", "-bufsize", "3600k"),
    Rendition.LOW: ("-crf", "26", "-maxrate", "336k", "-bufsize", "672k"),
}
SOUND_BITRATE = {Rendition.MAIN: "96k", Rendition.LOW: "64k", Rendition.AUDIO: "64k"}


@dataclass(frozen=True)
class Timebase:
    """How the medium's own clock becomes seconds of the take, from its first picture on.

    A packet stamped `stamp_seconds` is at `take_seconds`; the stamps come round again after
    `wrap_seconds` (0: never).
    """

    stamp_seconds: float
    take_seconds: float
    wrap_seconds: float = 0.0

    def expression(self) -> str:
        """Of ffmpeg's setpts and asetpts."""
        if not self.wrap_seconds:
            return f"PTS-({self.stamp_seconds - self.take_seconds:.6f})/TB"
        wrap = self.wrap_seconds
        # The nearest turn: ffmpeg may or may not have unrolled the stamps on its own.
        since = f"mod(PTS*TB-{self.stamp_seconds:.6f}+{1.5 * wrap:.6f},{wrap:.6f})-{wrap / 2:.6f}"
        return f"({since}+{self.take_seconds:.6f})/TB"


def live_arguments(
    found: Probe,
    skip_seconds: Mapping[Rendition, float],
    work: Path,
    *,
    timebase: Timebase | None = None,
) -> list[str]:
    """For a take that comes through a pipe, into the renditions that `skip_seconds` names.

    What lies before `skip_seconds` of the take is decoded at most, and dropped: it was packaged
    before. Without `timebase` the pipe begins with the take's first byte.
    """
    # ffmpeg would study five seconds of slow pictures first; the header says what it needs. A
    # shared window that is resized on the way must not make the filters begin anew.
    source = ["-fflags", "+genpts", "-analyzeduration", "1000000", "-reinit_filter:v", "0"]
    clock = ["-copyts"] if timebase else []
    graph = _graph(found, skip_seconds, timebase)
    outputs: list[str] = []
    for rendition in skip_seconds:
        outputs += [*_maps(rendition), *_encoding(found, rendition, LIVE_SEGMENT_SECONDS)]
        if rendition is not Rendition.AUDIO:
            outputs += ["-tune", "zerolatency"]
            outputs += ["-shortest"] if found.audio is None else []
        outputs += _hls(work, rendition, LIVE_SEGMENT_SECONDS)
    return [*source, *clock, *SAFE_INPUT, "-i", "pipe:0", *graph, *outputs]


def file_arguments(
    path: Path, found: Probe, renditions: Sequence[Rendition], work: Path
) -> list[str]:
    """For a finished video, everything encoded; `found` says how long it is."""
    graph = _graph(found, dict.fromkeys(renditions, 0.0), None)
    outputs: list[str] = []
    for rendition in renditions:
        outputs += [*_maps(rendition), *_encoding(found, rendition, FILE_KEYFRAME_SECONDS)]
        outputs += _ending(found, rendition) + _hls(work, rendition, FILE_SEGMENT_SECONDS)
    return [*SAFE_INPUT, "-i", str(path), *graph, *outputs]


def copy_arguments(
    path: Path, found: Probe, renditions: Sequence[Rendition], work: Path
) -> list[str]:
    """For a finished video that needs no encoding: the picture and AAC are taken as they are."""
    source = [*SAFE_INPUT, "-i", str(path)]
    if found.audio is None:
        source += ["-f", "lavfi", "-i", SILENCE]
    sound_map = "1:a:0" if found.audio is None else "0:a:0"
    outputs: list[str] = []
    for rendition in renditions:
        if rendition is Rendition.MAIN:
            outputs += ["-map", "0:v:0", "-c:v", "copy"]
        sound = ["-c:a", "copy"] if found.audio else ["-c:a", "aac", "-b:a", "32k"]
        outputs += ["-map", sound_map, *sound, *_ending(found, rendition)]
        outputs += _hls(work, rendition, FILE_SEGMENT_SECONDS)
    return [*source, *outputs]


def list_of(work: Path, rendition: Rendition) -> Path:
    """Where ffmpeg lists the finished segments of a rendition."""
    return work / f"{rendition}.m3u8"


def _ending(found: Probe, rendition: Rendition) -> list[str]:
    """Silence would never end by itself."""
    if found.audio is not None:
        return []
    if rendition is Rendition.AUDIO:
        return ["-t", f"{found.duration_seconds:.3f}"]
    return ["-shortest"]


def _graph(
    found: Probe, skip_seconds: Mapping[Rendition, float], timebase: Timebase | None
) -> list[str]:
    """The tracks in one constant shape, each rendition from its own second on."""
    expression = timebase.expression() if timebase else "PTS"
    seen = [one for one in skip_seconds if one is not Rendition.AUDIO]
    pictures = "".join(f"[seen_{one}]" for one in seen)
    sounds = "".join(f"[heard_{one}]" for one in skip_seconds)
    chains: list[str] = []
    parts: list[list[str]] = []
    if found.audio is None:
        chains.append(f"{SILENCE},asplit={len(skip_seconds)}{sounds}")
        for one in skip_seconds:
            chains.append(f"[heard_{one}]anull[sound_{one}]")
    else:
        drawn = "[drawn]" if found.video is None and seen else ""
        copies = len(skip_seconds) + (1 if drawn else 0)
        chains.append(f"[0:a:0]asetpts='{expression}',asplit={copies}{sounds}{drawn}")
        for one, skip in skip_seconds.items():
            chains.append(f"[heard_{one}]{_steady_sound(skip)}[sound_{one}]")
        if drawn:
            first = min(skip_seconds[one] for one in seen)
            chains.append(f"[drawn]{_steady_sound(first)},{_drawing(first)}")
            chains.append(f"[sheet]split={len(seen)}{pictures}")
    parts.append(chains)
    if found.video is not None and seen:
        large = (LARGEST_WIDTH, LARGEST_HEIGHT)
        width, height = _size(found.video, large if Rendition.MAIN in seen else LOW_SIZE)
        # One size for the whole take, even when the shared window is resized on the way.
        shape = (
            f"[0:v:0]setpts='{expression}',"
            f"scale={width}:{height}:force_original_aspect_ratio=decrease:force_divisible_by=2,"
            f"pad={width}:{height}:-1:-1,setsar=1,split={len(seen)}{pictures}"
        )
        # A graph of its own: a picture that stands still does not hold back the sound.
        parts.append([shape])
    if seen:
        for one in seen:
            parts[-1].append(_seen(found, one, skip_seconds[one]))
    arguments: list[str] = []
    for part in parts:
        arguments += ["-filter_complex", ";".join(part)]
    return arguments


def _seen(found: Probe, rendition: Rendition, skip: float) -> str:
    small = ""
    if rendition is Rendition.LOW:
        small = (
            f"scale=w='min({LOW_SIZE[0]},iw)':h='min({LOW_SIZE[1]},ih)':"
            "force_original_aspect_ratio=decrease:force_divisible_by=2,"
        )
    rate = f"fps={_frames_per_second(found)}:start_time={skip:.6f},setpts='PTS-{skip:.6f}/TB'"
    return f"[seen_{rendition}]{small}{rate}[picture_{rendition}]"


def _steady_sound(skip: float) -> str:
    """Constant from this second on, gaps filled with silence, counted from there."""
    cut = f"atrim=start={skip:.6f}," if skip else ""
    first = round(skip * SOUND_RATE)
    steady = f"aresample={SOUND_RATE}:async=1000:first_pts={first}"
    return f"{cut}{steady},asetpts='PTS-{skip:.6f}/TB'"


def _drawing(skip: float) -> str:
    # The wave is made from the sound, so it ends with it; a still picture would have to be cut
    # off. 960 columns of 10 samples are 0.2 s at 48 kHz, so that pictures come exactly at their
    # rate; the filter dates each by its end, setpts by its beginning.
    rate = STILL_FRAMES_PER_SECOND
    return (
        f"showwaves=s=960x240:rate={rate}:mode=cline:colors=0x0b5c5e,setpts=N[wave];"
        f"color=c=0xfaf7f0:s={LARGEST_WIDTH}x{LARGEST_HEIGHT}:r={rate}[paper];"
        f"[paper][wave]overlay=160:240:shortest=1,fps={rate},setpts='PTS+{skip:.6f}/TB'[sheet]"
    )


def _maps(rendition: Rendition) -> list[str]:
    sound = ["-map", f"[sound_{rendition}]"]
    if rendition is Rendition.AUDIO:
        return sound
    return ["-map", f"[picture_{rendition}]", *sound]


def _encoding(found: Probe, rendition: Rendition, keyframe_seconds: int) -> list[str]:
    sound = ["-c:a", "aac", "-b:a", SOUND_BITRATE[rendition], "-ar", str(SOUND_RATE), "-ac", "2"]
    if rendition is Rendition.AUDIO:
        return sound
    video = ["-c:v", "libx264", "-preset", "veryfast", "-pix_fmt", "yuv420p"]
    keyframes = ["-sc_threshold", "0", "-g", str(_frames_per_second(found) * keyframe_seconds)]
    keyframes += ["-force_key_frames", f"expr:gte(t,n_forced*{keyframe_seconds})"]
    return [*video, *PICTURE_QUALITY[rendition], *keyframes, *sound]


def _hls(work: Path, rendition: Rendition, segment_seconds: int) -> list[str]:
    listing = ["-f", "hls", "-hls_time", str(segment_seconds), "-hls_list_size", "0"]
    kind = ["-hls_playlist_type", "event", "-hls_segment_type", "mpegts"]
    # temp_file: a name in the list, or in the folder, is a file that is whole.
    flags = ["-hls_flags", "independent_segments+temp_file"]
    names = ["-hls_segment_filename", str(work / f"{rendition}-%06d.ts")]
    return [*listing, *kind, *flags, *names, str(list_of(work, rendition))]


def _size(video: VideoStream, largest: tuple[int, int]) -> tuple[int, int]:
    """Never enlarged, both even (4:2:0 pictures cannot be odd)."""
    shrink = min(1.0, largest[0] / video.width, largest[1] / video.height)
    return max(2, int(video.width * shrink) // 2 * 2), max(2, int(video.height * shrink) // 2 * 2)


def _frames_per_second(found: Probe) -> int:
    """A whole and constant rate: recorders in browsers vary theirs and announce odd ones."""
    if found.video is None:
        return STILL_FRAMES_PER_SECOND
    rate = round(found.video.frames_per_second)
    if rate > 120:
        return USUAL_FRAMES_PER_SECOND  # a time base, not a rate: "1k fps"
    return min(rate, MOST_FRAMES_PER_SECOND) or USUAL_FRAMES_PER_SECOND
