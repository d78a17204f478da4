"""deploy/nginx.conf as it is, but for the addresses and folders of a test."""

from pathlib import Path

from tests.components.nginx import NginxServer

DEPLOY = Path(__file__).resolve().parents[2] / "deploy"


def front(
    port: int, *, program_port: int, media: Path, workers: int = 1, beats_port: int | None = None
) -> NginxServer:
    """nginx with the project's own configuration, before a program on `program_port`.

    Beats have a server of their own if there is a `beats_port`.
    """
    text = (DEPLOY / "nginx.conf").read_text()
    program, beats = (
        f"upstream {name} {{\n    server 127.0.0.1:" for name in ("webinar", "webinar_beats")
    )
    for theirs, ours in (
        (f"{program}8000;", f"{program}{program_port};"),
        (f"{beats}8000;", f"{beats}{beats_port or program_port};"),
        ("/var/cache/nginx/webinar-may", "{folder}/may"),
        ("listen 80; ", f"listen 127.0.0.1:{port}; "),
        ("/var/log/nginx/webinar.log", "{folder}/webinar.log"),
        ("/var/lib/webinar/media", str(media)),
    ):
        assert theirs in text, f"deploy/nginx.conf does not say {theirs!r} any more"
        text = text.replace(theirs, ours)
    return NginxServer(port, http=text, workers=workers)
