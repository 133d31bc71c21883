import base64

import pytest

from kit.settings import SettingsError, load
from members import main
from members.domain import words
from members.settings import Settings


def some_settings(**changes: str) -> Settings:
    fields = {
        "room": "members",
        "kafka_bootstrap": "127.0.0.1:1",
        "http_port": 1,
        "actor_secret": "secret",
        "identifier_key": "key",
        "contact_key": base64.b64encode(bytes(32)).decode(),
        "member_key": base64.b64encode(bytes(range(32))).decode(),
    }
    return Settings(**(fields | changes))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "changes",
    [
        {"contact_key": "not base64!"},
        {"contact_key": base64.b64encode(bytes(31)).decode()},
        {"member_key": base64.b64encode(bytes(16)).decode()},
        {"member_key": ""},
        {"member_key": base64.b64encode(bytes(32)).decode()},  # the contact key, which notify has
        {"card_prefix": "12345"},
        {"card_prefix": "12345x"},
    ],
)
def test_settings_that_do_not_fit_stop_the_room_before_it_starts(changes: dict[str, str]) -> None:
    with pytest.raises(SettingsError):
        main.house_of(some_settings(**changes))


def test_a_master_key_of_its_own_wraps_the_data_keys() -> None:
    vault = main.house_of(some_settings()).vault
    sealed = words.seal(vault.master, bytes(12), b"a data key", 7)
    with pytest.raises(words.Unsealable):
        words.unseal(vault.contacts, sealed, 7)


def test_the_room_does_not_start_without_a_master_key() -> None:
    """Findings S20: without one the key that notify has opened everything."""
    told = {"PEYVAND_IDENTIFIER_KEY": "i", "PEYVAND_CONTACT_KEY": "c"}
    with pytest.raises(SettingsError, match="PEYVAND_MEMBER_KEY"):
        load(Settings, told, room="members", kafka_bootstrap="", http_port=1, actor_secret="s")
