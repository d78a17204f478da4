"""deploy/nginx.conf as it is, but for the addresses and folders of a test."""

from collections.abc import Sequence
from pathlib import Path

from tests.components.nginx import NginxServer

DEPLOY = Path(__file__).resolve().parents[2] / "deploy"


def front(
    port: int,
    *,
    program_port: int,
    media: Path,
    workers: int = 1,
    beats_port: int | None = None,
    more_nodes: Sequence[int] = (),
    certificate: tuple[Path, Path] | None = None,
) -> NginxServer:
    """nginx with the project's own configuration, before a program on `program_port`.

    Beats have a server of their own if there is a `beats_port`; `more_nodes` are the ports of other
    nodes. With a `certificate`, its file and that of its key, it speaks TLS and nothing else.
    """
    text = configuration(
        port,
        program_ports=(program_port, *more_nodes),
        beats_ports=(beats_port,) if beats_port else (program_port, *more_nodes),
        media=media,
        certificate=certificate,
    )
    return NginxServer(port, http=text, workers=workers)


def configuration(
    port: int,
    *,
    program_ports: Sequence[int],
    beats_ports: Sequence[int],
    media: Path,
    certificate: tuple[Path, Path] | None = None,
    folder: str = "{folder}",
) -> str:
    """The text of deploy/nginx.conf with what it marks "yours" set to these."""
    text = (DEPLOY / "nginx.conf").read_text()
    own, peer = ("server 127.0.0.1:8000 ", "# server 10.0.0.2:8000 ")
    listen = (("listen 80; ", f"listen 127.0.0.1:{port}; "),)
    if certificate is not None:
        listen = (
            ("listen 80; ", "# listen 80; "),
            ("# listen 443 ssl http2; ", f"listen 127.0.0.1:{port} ssl http2; "),
            (
                "# ssl_certificate     /etc/letsencrypt/live/webinar.example/fullchain.pem",
                f"ssl_certificate {certificate[0]}",
            ),
            (
                "# ssl_certificate_key /etc/letsencrypt/live/webinar.example/privkey.pem",
                f"ssl_certificate_key {certificate[1]}",
            ),
            ("# ssl_protocols ", "ssl_protocols "),
            ("# ssl_session_cache ", "ssl_session_cache "),
            ("# ssl_session_timeout ", "ssl_session_timeout "),
        )
    for name, ports in (("webinar", program_ports), ("webinar_beats", beats_ports)):
        begin = text.index(f"upstream {name} {{")
        end = text.index("}", begin)
        block = text[begin:end]
        assert {own in block, peer in block} == {True}, f"upstream {name} looks otherwise now"
        ours = [f"    server 127.0.0.1:{each} max_fails=3 fail_timeout=2s;\n" for each in ports]
        kept = [
            line for line in block.splitlines(keepends=True) if own not in line and peer not in line
        ]
        text = text[:begin] + "".join([*kept[:1], *ours, *kept[1:]]) + text[end:]
    for theirs, our in (
        ("/var/cache/nginx/webinar-may", f"{folder}/may"),
        ("/var/cache/nginx/webinar-feeds", f"{folder}/feeds"),
        *listen,
        ("/var/log/nginx/webinar.log", f"{folder}/webinar.log"),
        ("/var/lib/webinar/media", str(media)),
    ):
        assert theirs in text, f"deploy/nginx.conf does not say {theirs!r} any more"
        text = text.replace(theirs, our)
    return text
