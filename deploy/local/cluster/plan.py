"""What a local cluster consists of: its processes, their order, and what each is told."""

import json
import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from cluster import children, credentials, paths, ports, servers, version
from kit.base import auth

SERVERS = ("kafka", "postgres")
SIMULATOR = "sms-simulator"
SETTLEMENT_SHEBA = "IR160120000000001234567890"  # of no bank customer: a right check digit
WITH_DATABASE = ("merchants", "members", "fraud", "campaigns", "ledger", "notify", "identity")
GATEWAY = "gateway"
PROGRAMS = (SIMULATOR, *WITH_DATABASE, GATEWAY)
INNER = (
    "-inner"  # of a program's name: where its health and metrics are; the simulator has one door
)
LISTENERS = (*PROGRAMS, *(name + INNER for name in PROGRAMS if name != SIMULATOR))
SHARDS = 12
GATEWAYS = 4  # partitions of gateway.replies in development
PASSED_ON = "PEYVAND_"
# marks of our own, and the owner of the tables, whom migrate alone knows (findings S10)
_NOT_PASSED_ON = (children.FOLDER_MARK, children.NAME_MARK, PASSED_ON + "OWNER_DSN")
CHECKPOINT_ORIGIN = "peyvand.local/ledger"
SUPPORT_PHONE = "02100000000"  # nobody's: what texts of a local cluster name for questions


@dataclass(frozen=True, slots=True)
class Cluster:
    """One local cluster, running or not: a folder and what is written down in it."""

    folder: Path
    sandbox: bool
    shards: int
    ports: Mapping[str, int]
    servers: servers.Servers
    credentials: credentials.Credentials

    def url(self, name: str) -> str:
        """Where a program listens."""
        return f"http://127.0.0.1:{self.ports[name]}"

    def inner_port(self, name: str) -> int:
        """Where a program shows its health and metrics."""
        return self.ports[name if name == SIMULATOR else name + INNER]

    @property
    def checkpoints(self) -> Path:
        """Where the ledger publishes its signed checkpoints, and the keys that verify them."""
        return self.folder / "checkpoints"

    def log(self, name: str) -> Path:
        """Where a process writes what it has to say."""
        return self.folder / "logs" / f"{name}.log"


def cluster_of(folder: Path) -> Cluster:
    """The cluster of a folder as remembered."""
    folder = folder.resolve()
    note = folder / "cluster.json"
    written = (
        json.loads(note.read_text()) if note.exists() else {"sandbox": False, "shards": SHARDS}
    )
    return Cluster(
        folder=folder,
        sandbox=bool(written["sandbox"]),
        shards=int(written["shards"]),
        ports=ports.choose(folder, LISTENERS),
        servers=servers.servers_of(folder),
        credentials=credentials.credentials(folder),
    )


def lay_out(folder: Path, *, sandbox: bool | None) -> Cluster:
    """Write down, once, whether the folder holds a sandbox cluster (its time is its driver's).

    sandbox None: as it is written, else an ordinary cluster. Raises ValueError on the other kind.
    """
    folder.mkdir(parents=True, exist_ok=True)
    note = folder / "cluster.json"
    if not note.exists():
        note.write_text(json.dumps({"sandbox": bool(sandbox), "shards": SHARDS}) + "\n")
    cluster = cluster_of(folder)
    if sandbox is not None and sandbox != cluster.sandbox:
        kind = "a sandbox cluster" if cluster.sandbox else "an ordinary cluster"
        raise ValueError(f"{folder} holds {kind}: name another folder, or clean this one")
    return cluster


def launch_of(cluster: Cluster, name: str) -> children.Launch:
    """How a program of the cluster is started."""
    module = "simulators.sms" if name == SIMULATOR else name
    verb = () if name == SIMULATOR else ("serve",)
    return children.Launch(
        folder=cluster.folder,
        name=name,
        command=(sys.executable, "-m", module, *verb),
        environment=environment(cluster, name),
        log=cluster.log(name),
        working_folder=paths.PROJECT,
        version=version.of_code(),
    )


def launch_of_rebuild(cluster: Cluster, room: str) -> tuple[list[str], dict[str, str]]:
    """Command and environment that fill a room's local tables again, as their owner."""
    owner = cluster.servers.dsn(room, f"{room}_owner")
    variables = environment(cluster, room) | {PASSED_ON + "OWNER_DSN": owner}
    return [sys.executable, "-m", room, "rebuild-tables"], variables


def environment(cluster: Cluster, name: str) -> dict[str, str]:
    """Everything that a program is told; PEYVAND_ settings of our own environment come first."""
    variables = passed_on()
    if name == SIMULATOR:  # it stands for a provider outside: nothing of the inside is told to it
        variables = {
            k: v for k, v in variables.items() if not k.startswith(PASSED_ON) or "_SMS_" in k
        }
    variables |= {PASSED_ON + key: value for key, value in _settings(cluster, name).items()}
    return variables


def passed_on() -> dict[str, str]:
    """What of our own environment is told to every program."""
    variables = children.plain_environment()
    variables |= {
        key: value
        for key, value in os.environ.items()
        if key.startswith(PASSED_ON) and key not in _NOT_PASSED_ON
    }
    return variables | {"PYTHONUNBUFFERED": "1"}


def _settings(cluster: Cluster, name: str) -> dict[str, str]:
    if name == SIMULATOR:
        return {"HTTP_PORT": str(cluster.ports[name])} | _own_settings(cluster, name)
    common = {
        "HTTP_PORT": str(cluster.ports[name]),
        "INNER_PORT": str(cluster.inner_port(name)),
        "KAFKA_BOOTSTRAP": cluster.servers.bootstrap,
        "SHARDS": str(cluster.shards),
        "SANDBOX": "true" if cluster.sandbox else "false",
        # the cluster starts a dead process again under its own name: no rebalance is needed
        "STATIC_MEMBER": "true",
    }
    master = cluster.credentials.actor_secret
    if name in WITH_DATABASE:
        common["DATABASE_DSN"] = cluster.servers.dsn(name, name)
        common["ACTOR_SECRET"] = auth.room_secret(master, name)
    if name == GATEWAY:
        common["ACTOR_SECRET"] = master
    return common | _own_settings(cluster, name)


def _own_settings(cluster: Cluster, name: str) -> dict[str, str]:
    secrets = cluster.credentials
    callback = f"{cluster.url('notify')}/internal/receipts/{secrets.callback_secret}"
    match name:
        case "gateway":
            rooms = {f"{room.upper()}_URL": cluster.url(room) for room in WITH_DATABASE}
            return rooms | {
                "IDENTIFIER_KEYS": secrets.identifier_keys,
                "OPERATORS": secrets.operator_list(),
                "TABLES_DIR": str(cluster.folder / "gateway-tables"),
                "REPLY_PARTITION": "0",
                "GATEWAYS": str(GATEWAYS),
            }
        case "ledger":
            return {
                "CHECKPOINT_FOLDER": str(cluster.checkpoints),
                "CHECKPOINT_KEY_FILE": str(credentials.checkpoint_key(cluster.folder)),
                "CHECKPOINT_ORIGIN": CHECKPOINT_ORIGIN,
            }
        case "members":
            return {
                "IDENTIFIER_KEYS": secrets.identifier_keys,
                "CONTACT_KEYS": secrets.contact_keys,
                "MEMBER_KEYS": secrets.member_keys,
            }
        case "merchants":
            smallest = {"MINIMUM_PAYOUT_RIAL": "1"} if cluster.sandbox else {}  # a demo pays all
            return {"SETTLEMENT_SHEBA": SETTLEMENT_SHEBA, **smallest}
        case "identity":
            return {"IDENTITY_KEYS": secrets.identity_keys}
        case "notify":
            return {
                "CONTACT_KEYS": secrets.contact_keys,
                "SMS_URL": cluster.url(SIMULATOR),
                "SMS_API_KEY": secrets.sms_api_key,
                "SMS_SENDER": "10008663",
                "SMS_CALLBACK_URL": callback,
                "CALLBACK_SECRET": secrets.callback_secret,
                "SUPPORT_PHONE": SUPPORT_PHONE,
                "WEBHOOK_LOCAL": "true",
            }
        case "sms-simulator":
            return {"SMS_API_KEY": secrets.sms_api_key, "SMS_CALLBACK_URL": callback}
        case _:
            return {}
