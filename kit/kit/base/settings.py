"""The one place that reads the environment: PEYVAND_<FIELD> for every field of a settings value."""

import os
from collections.abc import Mapping
from typing import Any, Final, TypeVar, get_origin

import msgspec

PREFIX: Final = "PEYVAND_"


class ServiceSettings(msgspec.Struct, frozen=True, kw_only=True):
    """The settings of every process; a room's own settings extend them."""

    room: str
    kafka_bootstrap: str
    http_port: int
    actor_secret: str  # checks the gateway's signature; two, with a comma, while it is changed
    kafka_tls: tuple[str, ...] = ()  # files: the CA; with a certificate of the process, its key
    kafka_login: tuple[str, ...] = ()  # a user and the file of the password: SCRAM-SHA-512
    database_dsn: str = ""
    http_host: str = "127.0.0.1"
    http_tls: tuple[str, ...] = ()  # files: a certificate and its key
    inner_host: str = "127.0.0.1"  # health, metrics, the document for insiders
    inner_port: int = 0  # 0: a free one, written to the log
    head_bytes: int = 16_384  # of a request's line and headers
    head_fields: int = 100
    head_s: float = 5.0
    body_gap_s: float = 10.0  # between two pieces of a body
    body_bytes_per_s: int = 4_096  # the slowest that a body may come on the whole
    idle_s: float = 15.0  # between two requests of a connection
    write_s: float = 20.0  # for a caller to take what is sent
    connections_max: int = 4_000
    address_connections_max: int = 1_000
    shards: int = 12
    instance: str = "0"
    static_member: bool = False  # only where a supervisor restarts the process in place
    sandbox: bool = False
    otlp_endpoint: str = ""
    trace_ratio: float = 0.01
    log_level: str = "INFO"
    generation: int = 1  # rises with every restore of a database and change of partitioning
    drain_s: float = 5.0


S = TypeVar("S", bound=msgspec.Struct)


class SettingsError(ValueError):
    """Settings are missing or do not read; the text lists all of them."""


def load(cls: type[S], environ: Mapping[str, str] | None = None, **overrides: Any) -> S:
    """Build settings from the environment; overrides win over it.

    Lists are comma-separated. Raises SettingsError naming everything that is missing or malformed.
    """
    source = os.environ if environ is None else environ
    values = dict(overrides)
    missing: list[str] = []
    for field in msgspec.structs.fields(cls):
        text = source.get(PREFIX + field.name.upper())
        if field.name in overrides:
            continue
        if text is None:
            missing += [PREFIX + field.name.upper()] if field.required else []
        elif get_origin(field.type) in (list, tuple):
            values[field.name] = [part.strip() for part in text.split(",") if part.strip()]
        else:
            values[field.name] = text
    if missing:
        raise SettingsError("set in the environment: " + ", ".join(missing))
    try:
        return msgspec.convert(values, cls, strict=False)
    except msgspec.ValidationError as error:
        raise SettingsError(str(error)) from error


def owner_dsn(environ: Mapping[str, str] | None = None) -> str:
    """DSN of the role that owns the tables, for migrate only."""
    source = os.environ if environ is None else environ
    if not source.get(PREFIX + "OWNER_DSN"):
        raise SettingsError("set in the environment: PEYVAND_OWNER_DSN")
    return source[PREFIX + "OWNER_DSN"]
