"""Named keys: every form says its version and its key; purposes and people are kept apart."""

import base64

import pytest
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from contracts import keys
from contracts.keys import MissingKey, Unsealable

NONCE = b"n" * 12
ROOTS = [base64.b64encode(bytes([n] * 32)).decode() for n in (1, 2)]


def ring(*roots: str, purpose: str = "contacts") -> keys.Ring:
    return keys.ring(roots, purpose, setting="THE_SETTING")


def test_a_key_is_what_hkdf_says_it_is() -> None:
    """RFC 5869 by another's hand."""
    root = bytes(range(32))
    made = keys.derive(root, "contacts")
    for info, expected in ((b"for contacts", made.secret), (b"id", made.head[1:])):
        kdf = HKDF(SHA256(), length=32, salt=b"peyvand keys", info=info)
        assert kdf.derive(root)[: len(expected)] == expected
    assert len(made.secret) == 32


def test_every_form_begins_with_its_version_and_the_id_of_its_key() -> None:
    (key,) = ring(ROOTS[0])
    head = b"\x01" + bytes.fromhex(key.key_id)
    assert len(head) == keys.HEAD_BYTES
    assert keys.seal(key, NONCE, b"x", 7).startswith(head + NONCE)
    assert keys.stamp(key, b"x").startswith(head)
    assert len(keys.stamp(key, b"x")) == keys.HEAD_BYTES + 32
    assert len(base64.b64encode(head)) == 8  # whole letters: a reader sees it in the text


def test_purposes_of_one_root_share_its_id_and_nothing_else() -> None:
    (one,), (other,) = ring(ROOTS[0]), ring(ROOTS[0], purpose="data keys")
    assert one.key_id == other.key_id
    assert one.secret != other.secret
    with pytest.raises(Unsealable):
        keys.unseal((other,), keys.seal(one, NONCE, b"x", 7), 7)


def test_the_newest_seals_and_all_open() -> None:
    before, after = ring(ROOTS[0]), ring(ROOTS[1], ROOTS[0])
    old, new = keys.seal(before[0], NONCE, b"old", 7), keys.seal(after[0], NONCE, b"new", 7)
    assert (keys.unseal(after, old, 7), keys.unseal(after, new, 7)) == (b"old", b"new")
    assert keys.find(after, new) == after[0] != keys.find(after, old) == before[0]


def test_a_missing_key_is_named_with_those_that_are_here() -> None:
    (lost,), here = ring(ROOTS[0]), ring(ROOTS[1])
    with pytest.raises(MissingKey) as missing:
        keys.unseal(here, keys.seal(lost, NONCE, b"x", 7), 7)
    assert missing.value.key_id == lost.key_id
    assert f"key {lost.key_id} is missing (here: {here[0].key_id})" in str(missing.value)
    with pytest.raises(MissingKey, match="form 02 is not known"):
        keys.unseal(here, b"\x02" + bytes(40), 7)


@pytest.mark.parametrize("length", range(6, 34))
def test_what_is_cut_short_or_another_persons_does_not_open(length: int) -> None:
    keys_ = ring(ROOTS[0])
    sealed = keys.seal(keys_[0], NONCE, b"x", 7)
    assert keys.unseal(keys_, sealed, 7) == b"x"
    with pytest.raises(Unsealable):
        keys.unseal(keys_, sealed[:length], 7)
    with pytest.raises(Unsealable):
        keys.unseal(keys_, sealed, 8)


@pytest.mark.parametrize("place", [0, 1, 5, 6, 17, 18, -1])
def test_no_byte_of_a_form_can_be_changed(place: int) -> None:
    keys_ = ring(ROOTS[0])
    sealed = bytearray(keys.seal(keys_[0], NONCE, b"x", 7))
    sealed[place] ^= 1
    with pytest.raises((MissingKey, Unsealable)):
        keys.unseal(keys_, bytes(sealed), 7)


@pytest.mark.parametrize("sealed", [b"", b"\x01", b"\x01abc"])
def test_what_has_no_head_is_told_as_such(sealed: bytes) -> None:
    with pytest.raises(MissingKey):
        keys.unseal(ring(ROOTS[0]), sealed, 7)


@pytest.mark.parametrize(
    ("roots", "why"),
    [
        ((), "32 bytes"),
        (("",), "32 bytes"),
        (("AAAA",), "32 bytes"),
        (("not base64!",), "not base64"),
        ((ROOTS[0], ROOTS[1], ROOTS[0]), "twice"),
    ],
)
def test_roots_that_do_not_fit_are_refused_by_the_settings_name(
    roots: tuple[str, ...], why: str
) -> None:
    with pytest.raises(ValueError, match=f"^THE_SETTING: .*{why}"):
        ring(*roots)


def test_no_secret_is_shown() -> None:
    (key,) = ring(ROOTS[0])
    assert repr(key.secret) not in repr(key)
    assert key.key_id != key.secret[:5].hex()
