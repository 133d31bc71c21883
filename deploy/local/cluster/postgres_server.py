"""One PostgreSQL server in a folder: settings, initdb, launch, databases and their two roles."""

import hashlib
import hmac
import os
import pwd
import secrets
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import psutil

from cluster import children, connections, fetch, lockfile, paths, ports, readiness

NAME = "postgres"
SUPERUSER = "postgres"
STOP_WAIT_S = 20.0
LOCK_WAIT_S = 2.0  # a killed process lets go of its files a moment after it is gone
ACCOUNTS = ("postgres", "nobody")
SETTINGS = {
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",
    "max_connections": "200",
    "shared_buffers": "256MB",
    "fsync": "on",
    "synchronous_commit": "on",
    "max_wal_size": "4GB",
    "min_wal_size": "256MB",
    "wal_compression": "pglz",  # the published binaries are built without lz4
    "checkpoint_timeout": "15min",
    # essential: a writer that is paused inside its transaction must not block a shard
    "idle_in_transaction_session_timeout": "3s",
    "jit": "off",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "log_line_prefix": "%m [%p] %q%u@%d ",
    # passwords here are 256 random bits: stretching them would only slow each connection
    "scram_iterations": "1",
    "lc_messages": "C",
}


@dataclass(frozen=True, slots=True)
class Server:
    """Where the server of a folder keeps its data, listens, and as whom it runs."""

    folder: Path
    port: int
    home: Path  # data and binaries; elsewhere when its account cannot reach the folder
    account: children.Account | None

    @property
    def data(self) -> Path:
        """The data directory."""
        return self.home / "postgres"

    @property
    def log(self) -> Path:
        """Where the server's own output goes."""
        return self.folder / "logs" / "postgres.log"

    def dsn(self, database: str, role: str) -> str:
        """The address of a database for a role of this server."""
        word = password(self.folder, role)
        return f"postgresql://{role}:{word}@127.0.0.1:{self.port}/{database}"


def password(folder: Path, role: str) -> str:
    """A role's password, derived from the random secret in the folder."""
    return hmac.new(_secret(folder), role.encode(), hashlib.sha256).hexdigest()


def server(folder: Path) -> Server:
    """The folder's server as remembered; chooses its port the first time."""
    port = ports.choose(folder, ("postgres",))["postgres"]
    return Server(folder, port, _home(folder), _account())


def find(folder: Path) -> psutil.Process | None:
    """The running server of a folder."""
    return children.find(folder, NAME)


def launch(folder: Path) -> Server:
    """Start the folder's server, initialising the folder the first time; does not wait.

    Raises lockfile.Locked when a server has the folder open.
    """
    binaries = fetch.fetch() / "postgres"
    lock = lockfile.take(folder / "postgres.lock", wait_s=LOCK_WAIT_S)
    try:
        ports.renew(folder, ("postgres",))
        _settle(folder, _account())
        chosen = server(folder)
        programs = _programs(chosen, binaries)
        _initialise(chosen, programs)
        # ours is the lock, which every backend inherits too, so nobody lives there; PostgreSQL
        # itself would take a dead postmaster that nobody has reaped for a living one
        (chosen.data / "postmaster.pid").unlink(missing_ok=True)
        configuration = _write_settings(chosen)
        command = (str(programs / "bin" / "postgres"), "-D", str(chosen.data))
        # the server inherits the lock: it is held exactly as long as the server lives
        children.launch(
            children.Launch(
                folder=folder,
                name=NAME,
                command=(*command, "-c", f"config_file={configuration}"),
                environment={"PATH": os.environ.get("PATH", ""), "LC_ALL": "C"},
                log=chosen.log,
                account=chosen.account,
                keep_files=(lock.fileno(),),
            )
        )
    finally:
        lock.close()
    return chosen


def stop(folder: Path) -> bool:
    """Stop the folder's server in good order (open connections are cut); True when one ran."""
    process = find(folder)
    if process is None:
        return False
    children.stop(process, sign=signal.SIGINT, wait_s=STOP_WAIT_S)
    children.forget(folder, NAME)
    return True


def remove(folder: Path) -> None:
    """Delete what the server kept outside the folder, if anything."""
    note = folder / "postgres-home"
    if note.exists():
        shutil.rmtree(note.read_text().strip(), ignore_errors=True)
        note.unlink()


def create_databases(chosen: Server, rooms: Sequence[str]) -> None:
    """Make each room's database and its two roles, or leave them as they are."""
    readiness.run(_create_databases(chosen, rooms))


def superuser_dsn(chosen: Server) -> str:
    """The address for whoever may do everything: set-up and tests."""
    return chosen.dsn("postgres", SUPERUSER)


async def _create_databases(chosen: Server, rooms: Sequence[str]) -> None:
    connection = await connections.connect(superuser_dsn(chosen))
    try:
        for room in rooms:
            await create_roles(connection, chosen, room)
            if not await connection.fetchval("select 1 from pg_database where datname = $1", room):
                await connection.execute(f'create database "{room}" owner "{room}_owner"')
            await connection.execute(f'revoke all on database "{room}" from public')
            await connection.execute(f'grant connect, temporary on database "{room}" to "{room}"')
    finally:
        await connection.close()


async def create_roles(connection: connections.Connection, chosen: Server, room: str) -> None:
    """Make the room's two roles: `room`_owner, who migrates, and `room`, who runs."""
    for role in (f"{room}_owner", room):
        if not await connection.fetchval("select 1 from pg_roles where rolname = $1", role):
            word = password(chosen.folder, role)
            await connection.execute(f"create role \"{role}\" login password '{word}'")


def _secret(folder: Path) -> bytes:
    path = folder / "secret"
    if not path.exists():
        folder.mkdir(parents=True, exist_ok=True)
        fresh = folder / "secret.new"
        fresh.touch(mode=0o600)
        fresh.write_text(secrets.token_hex(32))
        fresh.rename(path)
    return bytes.fromhex(path.read_text())


def _account() -> children.Account | None:
    """PostgreSQL refuses to run as root: the ordinary user as whom it then runs."""
    if os.geteuid() != 0:
        return None
    for name in ACCOUNTS:
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            continue
        return children.Account(name, entry.pw_uid, entry.pw_gid)
    raise LookupError(f"none of the users {', '.join(ACCOUNTS)} exists to run PostgreSQL")


def _home(folder: Path) -> Path:
    """Where the server keeps its data: the folder, or the place outside that was settled on."""
    note = folder / "postgres-home"
    home = Path(note.read_text().strip()) if note.exists() else folder
    return home if home.is_dir() else folder


def _settle(folder: Path, account: children.Account | None) -> None:
    """Choose, once, a place outside when the account cannot reach the folder; note it there."""
    if _home(folder) != folder or account is None or _reaches(account, folder):
        return
    home = Path(tempfile.mkdtemp(prefix="peyvand-", dir=paths.lasting_temporary_folder()))
    home.chmod(0o755)
    (folder / "postgres-home").write_text(f"{home}\n")


def _reaches(account: children.Account, folder: Path) -> bool:
    """Whether the account may pass through every folder on the way down."""
    for step in (folder, *folder.parents):
        if not step.exists():
            continue
        seen = step.stat()
        if seen.st_uid == account.user_id:
            allowed = seen.st_mode & 0o100
        elif seen.st_gid == account.group_id:
            allowed = seen.st_mode & 0o010
        else:
            allowed = seen.st_mode & 0o001
        if not allowed:
            return False
    return True


def _programs(chosen: Server, binaries: Path) -> Path:
    """The binaries where the account can run them, copied beside its data when it must be."""
    if chosen.account is None or _reaches(chosen.account, binaries):
        return binaries
    copy = chosen.home / "binaries"
    if not copy.exists():
        fresh = chosen.home / "binaries.new"
        shutil.rmtree(fresh, ignore_errors=True)
        shutil.copytree(binaries, fresh, symlinks=True)
        fresh.rename(copy)
    return copy


def _initialise(chosen: Server, programs: Path) -> None:
    if (chosen.home / "postgres-initialised").exists():
        return
    shutil.rmtree(chosen.data, ignore_errors=True)  # an interrupted initdb
    chosen.data.mkdir(parents=True, mode=0o700)
    word_file = chosen.data.with_name("postgres-password")
    word_file.write_text(password(chosen.folder, SUPERUSER))
    word_file.chmod(0o600)
    account = chosen.account
    if account:
        for path in (chosen.data, word_file):
            os.chown(path, account.user_id, account.group_id)
    done = subprocess.run(
        [
            str(programs / "bin" / "initdb"),
            f"--pgdata={chosen.data}",
            f"--username={SUPERUSER}",
            f"--pwfile={word_file}",
            "--auth=scram-sha-256",
            "--encoding=UTF8",
            "--locale=C",
            "--locale-provider=builtin",
            "--builtin-locale=C.UTF-8",
            "--no-instructions",
        ],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
        env={"PATH": os.environ.get("PATH", ""), "LC_ALL": "C"},
        cwd="/",
        user=account.user_id if account else None,
        group=account.group_id if account else None,
        extra_groups=[] if account else None,
    )
    word_file.unlink()
    if done.returncode != 0:
        raise OSError(f"initdb failed in {chosen.data}:\n{done.stdout[-2000:]}")
    (chosen.home / "postgres-initialised").touch()


def _write_settings(chosen: Server) -> Path:
    path = chosen.home / "postgresql.conf"
    lines = [f"port = {chosen.port}", *(f"{key} = '{value}'" for key, value in SETTINGS.items())]
    path.write_text("\n".join(lines) + "\n")
    path.chmod(0o644)
    return path
