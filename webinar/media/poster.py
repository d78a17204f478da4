"""The still picture shown before a recording plays."""

from pathlib import Path

from webinar.media.ffmpeg import SAFE_INPUT, FfmpegFailed, NotAVideo, probe, run

POSTER_WIDTH = 1280
LATEST_START_SECONDS = 25.0
CANDIDATE_FRAMES = 50
POSTER_TIMEOUT_SECONDS = 60


def poster(path: Path) -> bytes:
    """A JPEG of the most typical of some early frames. Raises NotAVideo."""
    # Not the very first: that is often black, or somebody looking for the right window.
    start = min(LATEST_START_SECONDS, probe(path).duration_seconds / 10)
    picture = f"thumbnail={CANDIDATE_FRAMES},scale='min({POSTER_WIDTH},iw)':-2"
    source = [*SAFE_INPUT, "-ss", f"{start:.3f}", "-i", str(path), "-map", "0:v:0"]
    try:
        jpeg = run(
            [*source, "-vf", picture, "-frames:v", "1", "-q:v", "4", "-f", "mjpeg", "pipe:1"],
            timeout_seconds=POSTER_TIMEOUT_SECONDS,
        )
    except FfmpegFailed as failure:
        raise NotAVideo("No picture could be taken from the video: it is broken.") from failure
    if not jpeg:
        raise NotAVideo("No picture could be taken from the video: it is broken.")
    return jpeg
