"""A video of a gigabyte, broken off five times: is it whole, how fast, how much memory."""

import hashlib
import secrets
import socket
import sys
import tempfile
import threading
import time
from datetime import UTC, datetime, timedelta
from http.client import HTTPConnection
from pathlib import Path

from flask.sessions import SecureCookieSessionInterface

from benchmarks._servers import Server, migrated, serving
from config import Config
from tests.builders import make_session, make_user
from webinar.app import create_app
from webinar.db import open_db
from webinar.domain.access import Role
from webinar.domain.session import SessionStatus
from webinar.media.uploads import UploadStore

MEGABYTE = 1024 * 1024
SIZE = 1024 * MEGABYTE
BREAKS = 5
BLOCK = 8 * MEGABYTE
SECRET = "a secret of the benchmarks, long enough"


class Memory:
    """The most that the processes of a server have held, looked at ten times a second."""

    def __init__(self, server: Server) -> None:
        self.pids = [
            int(pid)
            for pid in Path(f"/proc/{server.pid}/task/{server.pid}/children").read_text().split()
        ]
        self.before, self.most = self.now(), 0.0
        self.done = threading.Event()
        self.thread = threading.Thread(target=self.watch)
        self.thread.start()

    def now(self) -> float:
        """Megabytes of the largest process."""
        held = []
        for pid in self.pids:
            status = Path(f"/proc/{pid}/status").read_text()
            held.append(int(status.partition("VmRSS:")[2].split()[0]) / 1024)
        return max(held)

    def watch(self) -> None:
        while not self.done.wait(0.1):
            self.most = max(self.most, self.now())

    def stop(self) -> float:
        self.done.set()
        self.thread.join()
        return self.most


class Client:
    """An organiser's browser, as far as the protocol goes."""

    def __init__(self, port: int, cookie: str, page: str) -> None:
        self.port = port
        self.headers = {"Cookie": cookie, "Tus-Resumable": "1.0.0"}
        headers, body = self.ask("GET", page)
        token = body.decode().partition('name="csrf-token" content="')[2].partition('"')[0]
        self.headers["Cookie"] = headers["Set-Cookie"].partition(";")[0]
        self.headers["X-CSRFToken"] = token
        self.headers["Referer"] = f"http://localhost:{port}/"

    def ask(self, method: str, path: str, **headers: str) -> tuple[dict[str, str], bytes]:
        connection = HTTPConnection("127.0.0.1", self.port, timeout=120)
        connection.request(method, path, headers=self.headers | headers)
        answer = connection.getresponse()
        body = answer.read()
        connection.close()
        if answer.status >= 400:
            raise SystemExit(f"{method} {path}: {answer.status} {body[:300]!r}")
        return dict(answer.headers), body

    def offset(self, path: str) -> int:
        return int(self.ask("HEAD", path)[0]["Upload-Offset"])

    def send(self, path: str, video: Path, offset: int, *, break_after: int) -> None:
        """One request for all that is left; the line is cut after so many bytes."""
        stated = {
            "Content-Type": "application/offset+octet-stream",
            "Upload-Offset": str(offset),
            "Content-Length": str(SIZE - offset),
        }
        lines = [f"PATCH {path} HTTP/1.1", f"Host: localhost:{self.port}"]
        lines += [f"{name}: {value}" for name, value in (self.headers | stated).items()]
        with (
            socket.create_connection(("127.0.0.1", self.port), timeout=300) as line,
            video.open("rb") as file,
        ):
            line.sendall("\r\n".join([*lines, "", ""]).encode())
            line.sendfile(file, offset, min(break_after, SIZE - offset))
            line.shutdown(socket.SHUT_WR)
            line.recv(4096)  # until the server has noticed


def make_video(path: Path) -> str:
    """A gigabyte that cannot be compressed; its sum."""
    digest = hashlib.sha256()
    with path.open("wb") as file:
        for _ in range(SIZE // BLOCK):
            block = secrets.token_bytes(BLOCK)
            digest.update(block)
            file.write(block)
    return digest.hexdigest()


def prepare(config: Config) -> tuple[str, str]:
    """The public id of a session that is over, and an organiser's cookie."""
    migrated(config)
    app = create_app(config)
    ended = datetime.now(UTC) - timedelta(days=1)
    with open_db() as db:
        session = make_session(db, starts_at=ended, status=SessionStatus.ENDED)
        user = make_user(db, "organiser@example.net", roles=(Role.ORGANISER,))
        db.commit()
        signer = SecureCookieSessionInterface().get_signing_serializer(app)
        assert signer is not None
        cookie = signer.dumps({"_user_id": user.get_id(), "_fresh": True})
        public_id = session.public_id
    app.extensions["engine"].dispose()
    return public_id, f"{app.config['SESSION_COOKIE_NAME']}={cookie}"


def main() -> int:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        config = Config(
            SECRET_KEY=SECRET,
            DATABASE_URL=f"sqlite:///{folder / 'bench.sqlite3'}",
            DATA_DIR=folder / "data",
            LOW_DISK_MEGABYTES=1,
        )
        public_id, cookie = prepare(config)
        stated = make_video(folder / "video")
        with serving("wsgi:app", config.to_env()) as server:
            page = f"/manage/sessions/{public_id}/recording/upload"
            client = Client(server.port, cookie, page)
            path = client.ask("POST", f"{page}s", **{"Upload-Length": str(SIZE)})[0]["Location"]
            memory = Memory(server)
            began = time.monotonic()
            for _ in range(BREAKS):
                offset = client.offset(path)
                client.send(path, folder / "video", offset, break_after=SIZE // (BREAKS + 1))
            offset = client.offset(path)
            client.send(path, folder / "video", offset, break_after=SIZE)
            seconds = time.monotonic() - began
            most, cpu = memory.stop(), server.cpu_seconds()
        [upload] = UploadStore(config.DATA_DIR).names()
        digest = hashlib.sha256()
        with UploadStore(config.DATA_DIR).path(upload).open("rb") as file:
            while block := file.read(BLOCK):
                digest.update(block)
        if digest.hexdigest() != stated:
            raise SystemExit("It did not arrive whole.")
    print("A video of 1 GB, sent by tus to gunicorn and broken off five times: whole (SHA-256).\n")
    print("| what | measured |")
    print("| --- | --- |")
    print(f"| memory of the process before and at most | {memory.before:.0f} and {most:.0f} MB |")
    print(f"| time, each piece on the disk before it is counted | {seconds:.0f} s |")
    print(f"| speed | {SIZE / MEGABYTE / seconds:.0f} MB/s |")
    print(f"| CPU of the server | {cpu:.1f} s |")
    return 0


if __name__ == "__main__":
    sys.exit(main())
