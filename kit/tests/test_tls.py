"""What a process speaks to inside the fence proves who it is, or is not spoken to (S10)."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from kit.base import db, errors, settings
from kit.server import http
from kit.server.connections import Connections, Limits
from kit.stream import kafka
from kit.stream.kafka import security
from support.certificates import Authority

FIRST_BYTES = 4


@pytest.fixture(scope="module")
def ours(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("tls") / "ours")


@pytest.fixture(scope="module")
def theirs(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("tls") / "theirs")


@pytest.fixture(autouse=True)
def plain() -> Any:
    yield
    security.OPTIONS.clear()


def room(**given: Any) -> settings.ServiceSettings:
    bare = {"room": "r", "kafka_bootstrap": "x:1", "http_port": 0, "actor_secret": "s"}
    return settings.ServiceSettings(**(bare | given))


@asynccontextmanager
async def listening(
    context: ssl.SSLContext, before: bytes = b""
) -> AsyncIterator[tuple[int, list[bytes]]]:
    """A server that says nothing: its port, and what came to it through TLS.

    before: said in the clear, to whoever has asked for TLS first (PostgreSQL).
    """
    heard: list[bytes] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            if before:
                await reader.readexactly(8)
                writer.write(before)
                await writer.start_tls(context)
            heard.append(await reader.readexactly(FIRST_BYTES))
        except (OSError, asyncio.IncompleteReadError):
            pass  # he left: this is nobody he trusts
        finally:
            writer.close()

    tls = None if before else context
    server = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=tls)
    async with server:
        yield server.sockets[0].getsockname()[1], heard


async def open_producer(bootstrap: str) -> None:
    await kafka.Producer.open(bootstrap, client_id="t")


async def open_reader(bootstrap: str) -> None:
    await kafka.Reader.open(bootstrap, group="t", topics=["platform.clock"], instance=None)


async def open_assigned(bootstrap: str) -> None:
    await kafka.Assigned.open(bootstrap, client_id="t", start={("platform.clock", 0): None})


async def ends(bootstrap: str) -> None:
    await kafka.end_offsets(bootstrap, ["platform.clock"])


async def make_topics(bootstrap: str) -> None:
    await kafka.ensure_topics(bootstrap, [], shards=1)


async def ask_committed(bootstrap: str) -> None:
    await kafka.committed(bootstrap, "t")


async def ask_cluster(bootstrap: str) -> None:
    await kafka.cluster_id(bootstrap)


CLIENTS = [
    open_producer, open_reader, open_assigned, ends, make_topics, ask_committed, ask_cluster,
]  # fmt: skip


@pytest.mark.parametrize("client", CLIENTS)
async def test_every_kafka_client_speaks_to_brokers_of_its_own_ca_alone(
    ours: Authority, theirs: Authority, client: Callable[[str], Awaitable[None]]
) -> None:
    kafka.secure(room(kafka_tls=(str(ours.ca),)))
    for authority, spoken in ((theirs, False), (ours, True)):
        async with listening(authority.server()) as (port, heard):
            with pytest.raises(Exception):  # noqa: B017 - nobody answers either way
                async with asyncio.timeout(20):
                    await client(f"127.0.0.1:{port}")
            assert bool(heard) is spoken


def test_half_of_a_setting_is_refused_by_name(ours: Authority, tmp_path: Path) -> None:
    ca, (cert, key) = str(ours.ca), ours.sign("half")
    word, garbage = tmp_path / "word", tmp_path / "garbage"
    word.write_text("s3cret-word\n")
    garbage.write_text("s3cret-word")
    wrong: list[dict[str, Any]] = [
        {"kafka_tls": (ca, cert)},
        {"kafka_tls": (str(tmp_path / "none"),)},
        {"kafka_tls": (str(garbage),)},
        {"kafka_tls": (ca, cert, str(garbage))},
        {"kafka_login": ("ledger", str(word))},
        {"kafka_tls": (ca,), "kafka_login": ("ledger",)},
        {"kafka_tls": (ca,), "kafka_login": ("ledger", str(tmp_path / "none"))},
    ]
    for given in wrong:
        with pytest.raises(settings.SettingsError, match="PEYVAND_KAFKA_TLS") as refused:
            kafka.secure(room(**given))
        assert "s3cret-word" not in str(refused.value)
        assert not security.OPTIONS.get("sasl_plain_password")
    kafka.secure(room(kafka_tls=(ca, cert, key), kafka_login=("ledger", str(word))))
    said = {k: v for k, v in security.OPTIONS.items() if k != "ssl_context"}
    assert said == {
        "security_protocol": "SASL_SSL",
        "sasl_mechanism": "SCRAM-SHA-512",
        "sasl_plain_username": "ledger",
        "sasl_plain_password": "s3cret-word",
    }
    assert security.OPTIONS["ssl_context"].verify_mode is ssl.CERT_REQUIRED
    assert security.OPTIONS["ssl_context"].check_hostname
    kafka.secure(room())
    assert not security.OPTIONS


def test_settings_of_tls_are_lists_of_files() -> None:
    environ = {"KAFKA_BOOTSTRAP": "x:1", "HTTP_PORT": "1", "ACTOR_SECRET": "s"}
    environ |= {"KAFKA_TLS": "ca.pem, me.pem,me.key", "KAFKA_LOGIN": "ledger,word"}
    read = settings.load(
        settings.ServiceSettings, {f"PEYVAND_{k}": v for k, v in environ.items()}, room="ledger"
    )
    assert read.kafka_tls == ("ca.pem", "me.pem", "me.key")
    assert (read.kafka_login, read.http_tls) == (("ledger", "word"), ())


async def open_pool(dsn: str) -> None:
    await db.Database.open(dsn, size=1)


@pytest.mark.parametrize("client", [open_pool, db.connect])
async def test_a_dsn_that_verifies_refuses_a_server_of_another_ca(
    ours: Authority, theirs: Authority, client: Callable[[str], Awaitable[None]]
) -> None:
    """The pool's DSN, and that of the relay, of migrations and of the check at the start."""
    for authority, spoken in ((theirs, False), (ours, True)):
        async with listening(authority.server(), b"S") as (port, heard):
            dsn = f"postgresql://r:w@127.0.0.1:{port}/r?sslmode=verify-full&sslrootcert={ours.ca}"
            with pytest.raises(errors.Unavailable):
                async with asyncio.timeout(20):
                    await client(dsn)
            assert bool(heard) is spoken


def test_a_door_with_half_a_certificate_does_not_open() -> None:
    with pytest.raises(settings.SettingsError, match="PEYVAND_HTTP_TLS"):
        http.server(None, "127.0.0.1", 0, Connections(Limits()), 1.0, ("cert.pem",))
