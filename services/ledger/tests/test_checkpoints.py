"""Checkpoints: a published note as known answer, a round trip, and every malformed line named."""

import hashlib
from base64 import b64decode, b64encode
from datetime import UTC, datetime

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from ledger.log.domain import checkpoints, merkle
from ledger.log.domain.checkpoints import BadCheckpoint, Checkpoint

ORIGIN = "peyvand.example/ledger"
KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
PUBLIC = KEY.public_key()
AT = datetime(2026, 11, 21, 10, 0, 0, 123456, tzinfo=UTC)
MINE = Checkpoint(ORIGIN, 3, 20852163, hashlib.sha256(b"root").digest(), AT)
TEXT = checkpoints.sign(MINE, KEY)
LINES = TEXT.split("\n")

# The note of the Go reference implementation's own tests: key ids, text and signatures agree.
GO_KEY = "ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
GO_TEXT = (
    "If you think cryptography is the answer to your problem,\n"
    "then you don't know what your problem is.\n"
)
GO_LINE = (
    "— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6"
    "KE6RyyBwJnAM="
)


def with_line(number, text):
    """TEXT with another line, numbered from 1; None: without it."""
    lines = [*LINES]
    lines[number - 1 : number] = [] if text is None else [text]
    return "\n".join(lines)


def test_the_text_is_as_the_format_says():
    assert LINES[:4] == [
        "peyvand.example/ledger/3",
        "20852163",
        b64encode(MINE.root).decode(),
        "time 1795255200123456",
    ]
    assert LINES[4] == ""
    assert LINES[5].startswith("— peyvand.example/ledger/3 ")
    assert LINES[6:] == [""]
    signed = b64decode(LINES[5].split(" ")[2])
    named = b"peyvand.example/ledger/3\n\x01" + PUBLIC.public_bytes_raw()
    assert signed[:4] == hashlib.sha256(named).digest()[:4]
    PUBLIC.verify(signed[4:], "\n".join([*LINES[:4], ""]).encode())


def test_key_ids_and_signatures_are_those_of_the_published_note():
    raw = b64decode(GO_KEY)
    key = Ed25519PublicKey.from_public_bytes(raw[1:])
    found = checkpoints._signature(1, GO_LINE)
    assert found.name == "PeterNeumann"
    assert found.key_id == checkpoints._key_id("PeterNeumann", key) == bytes.fromhex("c74f20a3")
    key.verify(found.signature, GO_TEXT.encode())


def test_a_key_in_the_form_of_other_tools():
    name, key_id, encoded = checkpoints.verifier_key(ORIGIN, 3, PUBLIC).split("+", 2)
    assert name == "peyvand.example/ledger/3"
    assert bytes.fromhex(key_id) == b64decode(LINES[5].split(" ")[2])[:4]
    assert b64decode(encoded) == b"\x01" + PUBLIC.public_bytes_raw()


def test_a_signed_checkpoint_verifies_and_signing_again_gives_the_same_text():
    assert checkpoints.verify(TEXT, origin=ORIGIN, key=PUBLIC) == MINE
    assert checkpoints.sign(MINE, KEY) == TEXT


@given(
    st.integers(0, 2**15 - 1),
    st.integers(1, 2**63 - 1),
    st.binary(min_size=32, max_size=32),
    st.datetimes(datetime(1970, 1, 1), timezones=st.just(UTC)),  # noqa: DTZ001
)
def test_what_is_signed_is_read(shard, size, root, at):
    made = Checkpoint(ORIGIN, shard, size, root, at)
    assert checkpoints.verify(checkpoints.sign(made, KEY), origin=ORIGIN, key=PUBLIC) == made


def test_an_empty_log_has_the_empty_root():
    empty = replace(MINE, size=0, root=merkle.EMPTY_ROOT)
    assert checkpoints.verify(checkpoints.sign(empty, KEY), origin=ORIGIN, key=PUBLIC) == empty


def test_signatures_of_witnesses_are_passed_over():
    witness = "— witness.example/w " + b64encode(b"abcd" + bytes(72)).decode() + "\n"
    assert checkpoints.verify(TEXT + witness, origin=ORIGIN, key=PUBLIC) == MINE
    text, _, tail = TEXT.partition("\n\n")
    assert checkpoints.verify(f"{text}\n\n{witness}{tail}", origin=ORIGIN, key=PUBLIC) == MINE
    assert [s.name for s in checkpoints.parse(TEXT + witness).signatures][1] == "witness.example/w"


@pytest.mark.parametrize(
    ("line", "text"),
    [
        (1, "peyvand.example/ledger/4"), (2, "20852164"), (4, "time 1795255200123457"),
        (3, b64encode(bytes(32)).decode()),
    ],
)  # fmt: skip
def test_another_value_is_not_what_was_signed(line, text):
    with pytest.raises(BadCheckpoint, match=r"signature"):
        checkpoints.verify(with_line(line, text), origin=ORIGIN, key=PUBLIC)


def test_another_key_or_another_ledger_is_refused():
    other = Ed25519PrivateKey.from_private_bytes(bytes(32)).public_key()
    with pytest.raises(BadCheckpoint, match="no signature"):
        checkpoints.verify(TEXT, origin=ORIGIN, key=other)
    with pytest.raises(BadCheckpoint, match=r"not 'sandbox\.example/ledger'"):
        checkpoints.verify(TEXT, origin="sandbox.example/ledger", key=PUBLIC)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "blank line"),
        (TEXT[:-1], "final line feed"),
        (TEXT.replace("\n", "\r\n"), "control character"),
        (TEXT.replace("\n\n", "\n"), "blank line"),
        (TEXT + "\n", "blank line"),
        (TEXT + "\n\n", "blank line"),
        (TEXT + "\ud800\n", "control character"),
        (TEXT + LINES[5] + "\t\n", "control character"),
        ("x" * 70_000, "at most 65536"),
        (TEXT + (LINES[5] + "\n") * 64, "at most 64 signatures"),
        (with_line(1, "peyvand.example"), "line 1"),
        (with_line(1, "peyvand.example/ledger/03"), "line 1"),
        (with_line(1, "peyvand.example/ledger/-3"), "line 1"),
        (with_line(1, "peyvand.example/ledger/99999"), "line 1"),
        (with_line(1, "/3"), "line 1"),
        (with_line(1, "a b/3"), "line 1"),
        (with_line(1, "a+b/3"), "line 1"),
        (with_line(2, "020852163"), "line 2"),
        (with_line(2, "-1"), "line 2"),
        (with_line(2, "۲۰"), "line 2"),
        (with_line(2, str(2**63)), "line 2"),
        (with_line(2, ""), "4 lines|line 2"),
        (with_line(2, "0"), "line 3: an empty log"),
        (with_line(3, "AAAA"), "line 3"),
        (with_line(3, LINES[2][:-1]), "line 3"),
        (with_line(3, LINES[2][:-2] + "z="), "line 3.*canonical"),
        (with_line(3, "کلید"), "line 3"),
        (with_line(4, "time 01"), "line 4"),
        (with_line(4, "time"), "line 4"),
        (with_line(4, "tide 1"), "line 4"),
        (with_line(4, "time 9999999999999999999"), "line 4"),
        (with_line(4, "time 999999999999999999"), "line 4"),
        (with_line(4, None), "4 lines, not 3"),
        (with_line(4, LINES[3] + "\nmore"), "4 lines, not 5"),
        (with_line(6, "- name AAAAAAAA"), "signature 1"),
        (with_line(6, "— name"), "signature 1"),
        (with_line(6, "— na+me AAAAAAAA"), "signature 1"),
        (with_line(6, "— name  AAAAAAAA"), "signature 1"),
        (with_line(6, "— name AAAA"), "key id of 4 bytes"),
        (with_line(6, "— name AA=A"), "not base64|canonical"),
    ],
)
def test_malformed_text_is_refused_by_line(text, why):
    with pytest.raises(BadCheckpoint, match=why):
        checkpoints.verify(text, origin=ORIGIN, key=PUBLIC)


@given(st.integers(0, len(TEXT) - 1), st.characters())
def test_no_character_may_change(place, character):
    forged = TEXT[:place] + character + TEXT[place + 1 :]
    if forged != TEXT:
        with pytest.raises(BadCheckpoint):
            checkpoints.verify(forged, origin=ORIGIN, key=PUBLIC)


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"root": bytes(31)}, "line 3"), ({"size": -1}, "line 2"), ({"size": 2**63}, "line 2"),
        ({"size": 0}, "line 3"), ({"shard": -1}, "line 1"), ({"shard": 2**15}, "line 1"),
        ({"origin": ""}, "line 1"), ({"origin": "a b"}, "line 1"), ({"origin": "a+b"}, "line 1"),
        ({"origin": "a\nb"}, "line 1"), ({"origin": "x" * 201}, "line 1"),
        ({"at": datetime(1969, 12, 31, tzinfo=UTC)}, "line 4"),
    ],
)  # fmt: skip
def test_what_could_not_be_read_is_not_signed(change, why):
    with pytest.raises(BadCheckpoint, match=why):
        checkpoints.sign(replace(MINE, **change), KEY)
