"""Settings: one reading of the environment, one error that names everything."""

import msgspec
import pytest

from kit.base import settings


class Rules(msgspec.Struct, frozen=True, kw_only=True):
    name: str
    limit: int
    strict: bool = False
    share: float = 0.5
    hosts: list[str] = []
    ports: tuple[int, ...] = ()


def test_values_are_coerced() -> None:
    environ = {
        "PEYVAND_NAME": "a",
        "PEYVAND_LIMIT": "7",
        "PEYVAND_STRICT": "true",
        "PEYVAND_HOSTS": "one, two,",
        "PEYVAND_PORTS": "1,2",
        "OTHER": "x",
    }
    read = settings.load(Rules, environ)
    assert read == Rules(name="a", limit=7, strict=True, hosts=["one", "two"], ports=(1, 2))


def test_what_is_given_wins() -> None:
    assert settings.load(Rules, {"PEYVAND_LIMIT": "7"}, name="b", limit=1).limit == 1


def test_everything_missing_is_named_at_once() -> None:
    with pytest.raises(settings.SettingsError, match="PEYVAND_NAME, PEYVAND_LIMIT"):
        settings.load(Rules, {})


def test_a_malformed_value_is_named() -> None:
    with pytest.raises(settings.SettingsError, match="limit"):
        settings.load(Rules, {"PEYVAND_NAME": "a", "PEYVAND_LIMIT": "many"})


def test_a_room_needs_four_things() -> None:
    with pytest.raises(settings.SettingsError) as error:
        settings.load(settings.ServiceSettings, {}, room="r")
    missing = str(error.value)
    assert missing.count("PEYVAND_") == 3
    assert all(name in missing for name in ("KAFKA_BOOTSTRAP", "HTTP_PORT", "ACTOR_SECRET"))


def test_the_owner_is_for_migrations_only() -> None:
    assert settings.owner_dsn({"PEYVAND_OWNER_DSN": "dsn"}) == "dsn"
    with pytest.raises(settings.SettingsError):
        settings.owner_dsn({})
