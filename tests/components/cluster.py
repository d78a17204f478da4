"""The whole service on this machine, as on several: what `make cluster` starts and tests kill.

PostgreSQL, Redis, two web nodes, two workers, two clocks, nginx before them. Whatever dies is
started anew, and how it ended is kept. All share one data folder, as nodes share a network one.
"""

import http.client
import os
import secrets
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from threading import Event, Lock, Thread
from typing import Self

import psutil
import psycopg
import redis

from config import Config
from tests.components.front import DEPLOY, configuration
from tests.components.nginx import NginxServer
from tests.components.postgres import USER, make_cluster, programs_for
from tests.components.programs import find_redis
from tests.components.servers import GuardedServer, ServerDied, ServerFolder, free_port, other_user

ROOT = DEPLOY.parent
START_SECONDS = 180.0
# So soon after its start nothing should end: it is then started anew, but more slowly.
YOUNG_SECONDS = 2.0
RESTART_SECONDS = (0.2, 2.0)


@dataclass(frozen=True)
class Ending:
    """A process that ended though nobody asked it to."""

    name: str
    code: int
    at: datetime

    def __str__(self) -> str:
        number = 256 - self.code
        known = number in set(signal.Signals)
        how = f"by {signal.Signals(number).name}" if known else f"with {self.code}"
        return f"{self.name} ended {how} at {self.at:%H:%M:%S}"


@dataclass
class Member:
    """One process of the cluster, and all that it starts."""

    name: str
    command: Sequence[str | Path]
    settings: dict[str, str] = field(default_factory=dict)
    folder: ServerFolder = field(default_factory=lambda: ServerFolder("member"))
    stop_signal: str = "SIGTERM"
    started_at: float = 0.0
    server: GuardedServer | None = None
    group: int = 0

    def start(self) -> None:
        """Begin it, or begin it anew where it ended."""
        if self.server is not None:
            self.server.let_go()
        named = [f"{name}={value}" for name, value in self.settings.items()]
        command = ["env", *named, *self.command] if named else self.command
        self.server = GuardedServer(command, self.folder, stop_signal=self.stop_signal)
        self.started_at = time.monotonic()

    def pids(self) -> list[int]:
        """The process and its children, oldest first; none while it is not there."""
        try:
            assert self.server is not None
            self.group = self.server.pid
            children = psutil.Process(self.group).children(recursive=True)
        except (ServerDied, psutil.NoSuchProcess):
            return []
        return [self.group, *(child.pid for child in children)]

    def sweep(self) -> None:
        """End what a dead leader left behind, as a service manager does."""
        if self.group:
            with suppress(ProcessLookupError):
                os.killpg(self.group, signal.SIGKILL)

    def stop(self) -> None:
        """End it and all that it started, and remove its folder."""
        self.pids()
        if self.server is not None:
            self.server.stop()
        self.sweep()

    @property
    def log(self) -> str:
        """The last that it said."""
        return self.folder.log.read_text(errors="replace")[-8000:]


class Cluster:
    """`with Cluster(data_dir) as cluster:` an empty, migrated database; `cluster.serve()` the rest.

    `settings` are those of the program. `say` hears of everything that ends and begins.
    """

    def __init__(
        self,
        data_dir: Path,
        *,
        port: int = 0,
        settings: dict[str, str] | None = None,
        is_demo: bool = False,
        say: Callable[[str], None] = lambda _line: None,
    ) -> None:
        self.data_dir = data_dir
        self.port = port or free_port()
        self.url = f"http://localhost:{self.port}"
        self.endings: list[Ending] = []
        self.members: dict[str, Member] = {}
        self._say = say
        self._password = secrets.token_urlsafe(12)
        self.ports = {name: free_port() for name in ("postgres", "redis", "web-1", "web-2")}
        self._expected: set[str] = set()
        self._ending = Event()
        self._lock = Lock()
        self._watcher = Thread(target=self._watch, name="the cluster's watcher")
        self.settings = {
            "SECRET_KEY": secrets.token_urlsafe(32),
            "DATABASE_URL": f"postgresql+psycopg://{USER}:{self._password}"
            f"@127.0.0.1:{self.ports['postgres']}/webinar",
            "REDIS_URL": f"redis://:{self._password}@127.0.0.1:{self.ports['redis']}/0",
            "PUBLIC_URL": self.url,
            "WEBINAR_DATA_DIR": str(data_dir),
            "WEBINAR_NGINX": "1",
            "WEBINAR_ENGINE": "procrastinate",
            "WEBINAR_DATABASE_POOL": "10",
            "WEBINAR_DEMO": str(int(is_demo)),
            **(settings or {}),
        }

    @property
    def config(self) -> Config:
        """What every process of the program is told."""
        return Config.from_env(self.settings)

    def __enter__(self) -> Self:
        self.data_dir.mkdir(parents=True, exist_ok=True)
        self._watcher.start()
        try:
            self._begin()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self._ending.set()
        self._watcher.join()
        # From the door inward: nothing may miss what it needs while it ends.
        inner = ("postgres", "redis")
        self._stop(*(name for name in self.members if name == "nginx"))
        self._stop(*(name for name in self.members if name not in ("nginx", *inner)))
        self._stop(*(name for name in inner if name in self.members))
        self._end_media_workers()

    def run(self, *arguments: str, say: Callable[[str], None] | None = None) -> str:
        """What a command of the program says, also to `say` as it comes; raises ServerDied."""
        said = []
        with subprocess.Popen(
            [sys.executable, "-u", "-m", "flask", "--app", "wsgi", *arguments],
            cwd=ROOT,
            env=os.environ | self.settings,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        ) as process:
            assert process.stdout is not None
            for line in process.stdout:
                said.append(line)
                if say is not None:
                    say(line.rstrip())
        if process.returncode != 0:
            raise ServerDied(f"flask {' '.join(arguments)}: {''.join(said)}")
        return "".join(said)

    def serve(self, *extra: str) -> None:
        """Begin the program and nginx; returns when pages come through it.

        `extra` are commands of the program that run beside it, "demo speak" say.
        """
        for name in ("web-1", "web-2"):
            self._add(self._web(name))
        for name in ("worker-1", "worker-2"):
            self._add(self._flask(name, "worker", "run"))
        for name in ("clock-1", "clock-2"):
            self._add(self._flask(name, "scheduler", "run"))
        for command in extra:
            self._add(self._flask(command.replace(" ", "-"), *command.split()))
        for name in ("web-1", "web-2"):
            self.wait_for(name)
        self._add(self._nginx())
        self.wait_for("nginx")

    def wait_for(self, name: str) -> None:
        """Return when this node, or nginx before them, answers; raises ServerDied if none does."""
        port = self.port if name == "nginx" else self.ports[name]
        deadline = time.monotonic() + START_SECONDS
        while not _is_alive(port):
            if time.monotonic() > deadline:
                raise ServerDied(f"{name} does not answer:\n{self.members[name].log}")
            time.sleep(0.05)

    def pids(self, name: str) -> list[int]:
        """The processes of one member, its leader first."""
        return self.members[name].pids()

    def kill(self, name: str, *, with_children: bool = True) -> list[int]:
        """kill -9, of the whole node or of its leader alone; it is started anew. Who was killed."""
        killed = self.pids(name)[: None if with_children else 1]
        for pid in killed:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        return killed

    def restart(self, name: str) -> None:
        """End it as a service manager does; it is started anew."""
        number = signal.Signals[self.members[name].stop_signal]
        self._expected.add(name)
        os.kill(self.pids(name)[0], number)

    def pause(self, name: str) -> None:
        """It keeps its connections and says nothing any more."""
        os.kill(self.pids(name)[0], signal.SIGSTOP)

    def go_on(self, name: str) -> None:
        """After a pause."""
        os.kill(self.pids(name)[0], signal.SIGCONT)

    def _stop(self, *names: str) -> None:
        members = [self.members[name] for name in names]
        stops = [Thread(target=member.stop) for member in members]
        for thread in stops:
            thread.start()
        for thread in stops:
            thread.join()

    def _begin(self) -> None:
        self._add(self._postgres())
        self._wait_until("postgres", self._makes_the_database)
        self._add(self._redis())
        self._wait_until("redis", self._redis_answers)
        self.run("db", "upgrade")

    def _add(self, member: Member) -> None:
        with self._lock:
            member.start()
            self.members[member.name] = member
        self._say(f"started: {member.name}")

    def _watch(self) -> None:
        while not self._ending.wait(0.05):
            with self._lock:
                members = list(self.members.values())
            for member in members:
                assert member.server is not None
                code = member.server.exit_code
                if code is None:
                    if not member.group:
                        member.pids()
                    continue
                self._start_anew(member, code)

    def _start_anew(self, member: Member, code: int) -> None:
        member.sweep()
        ending = Ending(member.name, code, datetime.now(UTC))
        if member.name in self._expected:
            self._expected.remove(member.name)
        else:
            self.endings.append(ending)
        self._say(f"{ending}; it is started anew")
        is_young = time.monotonic() - member.started_at < YOUNG_SECONDS
        if self._ending.wait(RESTART_SECONDS[is_young]):
            return
        member.group = 0
        member.start()

    def _wait_until(self, name: str, answers: Callable[[], bool]) -> None:
        server = self.members[name].server
        assert server is not None
        server.wait_until(answers)

    def _postgres(self) -> Member:
        folder = ServerFolder("cluster-postgres", owner=other_user())
        programs = programs_for(folder)
        make_cluster(programs, folder, self._password)
        settings = {
            "max_connections": "300",
            "shared_buffers": "64MB",
            "unix_socket_directories": "",
            "listen_addresses": "127.0.0.1",
            "port": str(self.ports["postgres"]),
        }
        options = [f"--{name}={value}" for name, value in settings.items()]
        command = [programs / "postgres", "-D", folder.path / "data", *options]
        return Member("postgres", command, folder=folder, stop_signal="SIGINT")

    def _makes_the_database(self) -> bool:
        try:
            with psycopg.connect(
                host="127.0.0.1",
                port=self.ports["postgres"],
                user=USER,
                password=self._password,
                dbname="postgres",
                autocommit=True,
            ) as admin:
                admin.execute("CREATE DATABASE webinar")
        except psycopg.OperationalError:
            return False
        return True

    def _redis(self) -> Member:
        folder = ServerFolder("cluster-redis")
        settings = {
            "port": str(self.ports["redis"]),
            "bind": "127.0.0.1",
            "requirepass": self._password,
            "save": "",
            "appendonly": "no",
            "dir": str(folder.path),
        }
        options = [word for name, value in settings.items() for word in (f"--{name}", value)]
        return Member("redis", [find_redis(), *options], folder=folder)

    def _redis_answers(self) -> bool:
        with redis.Redis.from_url(self.settings["REDIS_URL"]) as client:
            try:
                return bool(client.ping())
            except redis.ConnectionError:
                return False

    def _web(self, name: str) -> Member:
        own = {
            "BIND": f"127.0.0.1:{self.ports[name]}",
            # When one dies the other goes on with what waits at the door.
            "WEB_CONCURRENCY": "2",
            # Each node counts for itself: the folder of the data is everybody's.
            "PROMETHEUS_MULTIPROC_DIR": str(self.data_dir / f"counts-{name}"),
        }
        gunicorn = (sys.executable, "-m", "gunicorn", "--chdir", ROOT, "--no-control-socket")
        return self._program(
            name, (*gunicorn, "-c", DEPLOY / "gunicorn_server.py", "wsgi:app"), own
        )

    def _flask(self, name: str, *arguments: str) -> Member:
        flask = (sys.executable, "-m", "flask", "--app", "wsgi")
        return self._program(name, (*flask, *arguments), {"PYTHONPATH": str(ROOT)})

    def _program(self, name: str, command: Sequence[str | Path], own: dict[str, str]) -> Member:
        folder = ServerFolder(f"cluster-{name}")
        return Member(name, command, {**self.settings, **own}, folder)

    def _nginx(self) -> Member:
        ports = [self.ports["web-1"], self.ports["web-2"]]
        media = self.data_dir / "media"
        text = configuration(self.port, program_ports=ports, beats_ports=ports, media=media)
        server = NginxServer(self.port, http=text, workers=2)
        return Member("nginx", server.command, folder=server.folder)

    def _end_media_workers(self) -> None:
        """They are meant to outlive the clock that started them."""
        own = f"WEBINAR_DATA_DIR={self.data_dir}".encode()
        left = []
        for process in psutil.process_iter():
            with suppress(psutil.Error, OSError):
                if own in Path(f"/proc/{process.pid}/environ").read_bytes().split(b"\0"):
                    process.terminate()
                    left.append(process)
        for process in psutil.wait_procs(left, timeout=5)[1]:
            with suppress(psutil.Error):
                process.kill()


def _is_alive(port: int) -> bool:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=START_SECONDS)
    with closing(connection):
        try:
            connection.request("GET", "/healthz")
            return connection.getresponse().status == 200
        except (OSError, http.client.HTTPException):
            return False
