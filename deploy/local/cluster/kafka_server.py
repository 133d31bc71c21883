"""One Apache Kafka node (KRaft) in a folder: settings, format, launch.

Settings: reference/platform sections 1 and 15 of the design (one node, tuned for fast recovery).
"""

import base64
import hashlib
import os
import secrets
import shutil
import signal
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import psutil

from cluster import children, fetch, lockfile, paths, ports, readiness

NAME = "kafka"
ARCHIVE_LOCK_WAIT_S = 120.0
STOP_WAIT_S = 20.0
LOCK_WAIT_S = 2.0  # a killed process lets go of its files a moment after it is gone
READY_WAIT_S = 60.0
HEAP = ("-Xms256m", "-Xmx512m")
FULL_COMPILER = "PEYVAND_KAFKA_FULL_COMPILER"  # set by the bench
HOMEBREW_JAVA = ("/opt/homebrew/opt/openjdk/bin", "/usr/local/opt/openjdk/bin")
LOGGING = """\
status = error
appender.console.type = Console
appender.console.name = console
appender.console.layout.type = PatternLayout
appender.console.layout.pattern = %d{ISO8601} %p %c{1}: %m%n
rootLogger.level = warn
rootLogger.appenderRef.console.ref = console
"""


@dataclass(frozen=True, slots=True)
class Node:
    """Where the node of a folder keeps its data and listens."""

    folder: Path
    port: int
    controller_port: int

    @property
    def bootstrap(self) -> str:
        """The address for clients."""
        return f"127.0.0.1:{self.port}"

    @property
    def data(self) -> Path:
        """The folder that one broker alone may have open."""
        return self.folder / "kafka"

    @property
    def log(self) -> Path:
        """Where the broker's own output goes."""
        return self.folder / "logs" / "kafka.log"


def node(folder: Path) -> Node:
    """The folder's node as remembered; chooses its ports the first time."""
    known = ports.choose(folder, ("kafka", "kafka-controller"))
    return Node(folder, known["kafka"], known["kafka-controller"])


def find(folder: Path) -> psutil.Process | None:
    """The running broker of a folder."""
    return children.find(folder, NAME)


def launch(folder: Path) -> Node:
    """Start the folder's broker, formatting the folder the first time; does not wait.

    Raises lockfile.Locked when a broker has the folder open.
    """
    jars = fetch.fetch() / "kafka"
    lock = lockfile.take(folder / "kafka.lock", wait_s=LOCK_WAIT_S)
    try:
        ports.renew(folder, ("kafka", "kafka-controller"))
        chosen = node(folder)
        _write_settings(chosen)
        archive = class_archive(jars)
        _format(chosen, jars, archive)
        command = (*_java(jars, chosen.folder, archive), "kafka.Kafka", str(_settings(chosen)))
        # the broker inherits the lock: it is held exactly as long as the broker lives
        children.launch(
            children.Launch(
                folder=folder,
                name=NAME,
                command=command,
                environment=children.plain_environment(),
                log=chosen.log,
                keep_files=(lock.fileno(),),
            )
        )
    finally:
        lock.close()
    return chosen


def stop(folder: Path) -> bool:
    """Stop the folder's broker in good order; True when one ran."""
    process = find(folder)
    if process is None:
        return False
    children.stop(process, sign=signal.SIGTERM, wait_s=STOP_WAIT_S)
    children.forget(folder, NAME)
    return True


def java_program() -> str:
    """The Java to run: of JAVA_HOME, of the path, or of Homebrew, which puts it in neither."""
    home = os.environ.get("JAVA_HOME", "")
    places = (f"{home}/bin",) if home else (os.environ.get("PATH", ""), *HOMEBREW_JAVA)
    for place in places:
        program = shutil.which("java", path=place)
        # macOS has a /usr/bin/java that only says that there is none
        if program is not None and not (program == "/usr/bin/java" and sys.platform == "darwin"):
            return program
    raise FileNotFoundError("java is not installed")


def class_archive(jars: Path) -> Path:
    """The archive of loaded classes that halves the broker's start; made once, then reused."""
    path = _archive_path(jars)
    if path.exists():
        return path
    with lockfile.held(paths.CACHE / "kafka-archive.lock", wait_s=ARCHIVE_LOCK_WAIT_S):
        if not path.exists():
            _make_archive(jars, path)
    return path


def _make_archive(jars: Path, path: Path) -> None:
    """Run a broker of its own through one record, so that its classes are those of a real start."""
    folder = paths.CACHE / "kafka-archive"
    shutil.rmtree(folder, ignore_errors=True)
    fresh = path.with_suffix(".new")
    chosen = node(folder)
    _write_settings(chosen)
    _format(chosen, jars, None)
    java = (*_java(jars, folder, None), f"-XX:ArchiveClassesAtExit={fresh}")
    process = children.launch(
        children.Launch(
            folder=folder,
            name=NAME,
            command=(*java, "kafka.Kafka", str(_settings(chosen))),
            environment=children.plain_environment(),
            log=chosen.log,
        )
    )
    try:
        readiness.wait_for_kafka(chosen.bootstrap, process, wait_s=READY_WAIT_S)
    finally:
        children.stop(process, sign=signal.SIGTERM, wait_s=READY_WAIT_S)
    if fresh.exists():
        fresh.rename(path)
    else:  # a Java that comes without an archive of its own cannot make one
        path.touch()
    shutil.rmtree(folder)


def _archive_path(jars: Path) -> Path:
    return paths.CACHE / f"kafka-{_archive_key(jars)}.jsa"


def _archive_key(jars: Path) -> str:
    """What an archive depends on: the Java, the jars and where they lie."""
    real = Path(java_program()).resolve()
    release = real.parent.parent / "release"
    version = release.read_text() if release.exists() else ""
    seen = f"{real}\n{version}\n{jars}\n{(jars.parent / 'stamp').read_text()}"
    return hashlib.sha256(seen.encode()).hexdigest()[:12]


def _java(jars: Path, folder: Path, archive: Path | None) -> tuple[str, ...]:
    class_path = ":".join(str(jar) for jar in sorted(jars.glob("*.jar")))
    usable = archive is not None and archive.stat().st_size > 0
    shared = (f"-XX:SharedArchiveFile={archive}", "-Xshare:auto") if usable else ()
    return (
        java_program(),
        *HEAP,
        *shared,
        *_compiler(),
        "-XX:+UseG1GC",
        "-XX:+ExitOnOutOfMemoryError",
        "-XX:-UsePerfData",
        "-Xlog:disable",
        "-Xlog:all=error:stderr",
        "-Djava.awt.headless=true",
        f"-Dlog4j2.configurationFile={folder / 'kafka-logging.properties'}",
        "-cp",
        class_path,
    )


def _compiler() -> tuple[str, ...]:
    """The quick compiler alone: a broker that lives for minutes never earns back what the other
    costs, a fifth of the whole road's processor time in its first minutes. A load test asks for
    both (platform reference 1)."""
    return () if os.environ.get(FULL_COMPILER) else ("-XX:TieredStopAtLevel=1",)


def _settings(chosen: Node) -> Path:
    return chosen.folder / "kafka.properties"


def _write_settings(chosen: Node) -> None:
    internal = ("offsets.topic", "transaction.state.log", "share.coordinator.state.topic")
    lines = [
        "process.roles=broker,controller",
        "node.id=1",
        f"listeners=PLAINTEXT://127.0.0.1:{chosen.port},"
        f"CONTROLLER://127.0.0.1:{chosen.controller_port}",
        f"advertised.listeners=PLAINTEXT://127.0.0.1:{chosen.port},"
        f"CONTROLLER://127.0.0.1:{chosen.controller_port}",
        "listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT",
        "controller.listener.names=CONTROLLER",
        f"controller.quorum.bootstrap.servers=127.0.0.1:{chosen.controller_port}",
        f"log.dirs={chosen.data}",
        "auto.create.topics.enable=false",
        "num.partitions=12",
        "default.replication.factor=1",
        *(f"{topic}.replication.factor=1" for topic in internal),
        *(f"{topic}.num.partitions=4" for topic in internal),
        "transaction.state.log.min.isr=1",
        "share.coordinator.state.topic.min.isr=1",
        "group.initial.rebalance.delay.ms=0",
        "num.io.threads=4",
        "num.network.threads=2",
        "num.recovery.threads.per.data.dir=2",
        # the cleaner's table is taken from the heap at start: 128 MB by default
        "log.cleaner.dedupe.buffer.size=33554432",
        # a dead broker is fenced, and a restarted one admitted, after this session
        "broker.session.timeout.ms=3000",
        "broker.heartbeat.interval.ms=500",
        "controller.quorum.election.timeout.ms=500",
        "controller.quorum.election.backoff.max.ms=500",
        "controller.quorum.fetch.timeout.ms=1000",
        "controller.quorum.request.timeout.ms=1000",
    ]
    chosen.folder.mkdir(parents=True, exist_ok=True)
    _settings(chosen).write_text("\n".join(lines) + "\n")
    (chosen.folder / "kafka-logging.properties").write_text(LOGGING)


def _format(chosen: Node, jars: Path, archive: Path | None) -> None:
    if (chosen.data / "meta.properties").exists():
        return
    shutil.rmtree(chosen.data, ignore_errors=True)  # an interrupted format
    chosen.data.mkdir(parents=True, mode=0o700)
    done = subprocess.run(
        [
            *_java(jars, chosen.folder, archive),
            "kafka.tools.StorageTool",
            "format",
            "--standalone",
            "--cluster-id",
            _cluster_id(),
            "--config",
            str(_settings(chosen)),
        ],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
        umask=children.OWNER_ONLY,
    )
    if done.returncode != 0:
        raise OSError(f"Kafka could not format {chosen.data}:\n{done.stdout[-2000:]}")


def _cluster_id() -> str:
    """Sixteen bytes in URL-safe base64 without padding, the form of Kafka's own ids.

    The first bits are fixed: an id that began with a hyphen would be taken for an option.
    """
    chosen = bytes([secrets.randbelow(128)]) + secrets.token_bytes(15)
    return base64.urlsafe_b64encode(chosen).decode().rstrip("=")
