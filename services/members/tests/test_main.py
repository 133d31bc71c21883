import base64

import pytest

from contracts import keys
from kit.base.settings import SettingsError, load
from members import terms
from members.settings import Settings


def root(number: int, length: int = 32) -> str:
    return base64.b64encode(bytes([number] * length)).decode()


def some_settings(**changes: object) -> Settings:
    fields: dict[str, object] = {
        "room": "members",
        "kafka_bootstrap": "127.0.0.1:1",
        "http_port": 1,
        "actor_secret": "secret",
        "identifier_keys": (root(1),),
        "contact_keys": (root(2),),
        "member_keys": (root(3),),
    }
    return Settings(**(fields | changes))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"contact_keys": ("not base64!",)}, "PEYVAND_CONTACT_KEYS: not base64"),
        ({"contact_keys": (root(2), root(4, 31))}, "PEYVAND_CONTACT_KEYS: keys of 32 bytes"),
        ({"member_keys": (root(3, 16),)}, "PEYVAND_MEMBER_KEYS: keys of 32 bytes"),
        ({"identifier_keys": ()}, "PEYVAND_IDENTIFIER_KEYS: keys of 32 bytes"),
        ({"member_keys": (root(3), root(3))}, "PEYVAND_MEMBER_KEYS: one key is there twice"),
        ({"member_keys": (root(3), root(2))}, "two of the settings"),  # notify would have it
        ({"identifier_keys": (root(3),)}, "two of the settings"),  # gateways would have it
        ({"card_prefix": "12345"}, "CARD_PREFIX"),
        ({"card_prefix": "12345x"}, "CARD_PREFIX"),
    ],
)
def test_settings_that_do_not_fit_stop_the_room_before_it_starts(
    changes: dict[str, object], why: str
) -> None:
    with pytest.raises(SettingsError, match=why) as refused:
        terms.terms_of(some_settings(**changes))
    assert root(2) not in str(refused.value)
    assert root(3) not in str(refused.value)


def test_no_purpose_of_a_root_opens_what_another_sealed() -> None:
    """Findings S20: one key served several purposes."""
    key_set = terms.terms_of(some_settings()).key_set
    rings = (key_set.data_keys, key_set.requests, key_set.contacts, key_set.identifiers)
    assert len({ring[0].secret for ring in rings}) == 4
    sealed = keys.seal(key_set.data_keys[0], bytes(12), b"a data key", 7)
    for other in (key_set.requests, key_set.contacts):
        with pytest.raises((keys.Unsealable, keys.MissingKey)):
            keys.unseal(other, sealed, 7)


def test_keys_of_before_come_from_the_environment_after_the_newest() -> None:
    environment = {
        "PEYVAND_IDENTIFIER_KEYS": root(1),
        "PEYVAND_CONTACT_KEYS": root(2),
        "PEYVAND_MEMBER_KEYS": f"{root(4)}, {root(3)}",
    }
    settings = load(
        Settings, environment, room="members", kafka_bootstrap="", http_port=1, actor_secret="s"
    )
    before = terms.terms_of(some_settings()).key_set.data_keys[0]
    assert terms.terms_of(settings).key_set.data_keys[1] == before


def test_the_room_does_not_start_without_a_master_key() -> None:
    """Findings S20: without one the key that notify has opened everything."""
    environment = {"PEYVAND_IDENTIFIER_KEYS": "i", "PEYVAND_CONTACT_KEYS": "c"}
    with pytest.raises(SettingsError, match="PEYVAND_MEMBER_KEYS"):
        load(
            Settings, environment, room="members", kafka_bootstrap="", http_port=1, actor_secret="s"
        )
