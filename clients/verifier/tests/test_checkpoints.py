"""Checkpoints of the auditor: a text made here by hand, and what is refused."""

import base64
import hashlib

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from verifier import checkpoints, tree
from verifier.checkpoints import Checkpoint, CheckpointRefused

ORIGIN = "peyvand.example/ledger"
SIGNER = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
KEY = SIGNER.public_key().public_bytes_raw()
ROOT = hashlib.sha256(b"root").digest()


def b64(raw):
    return base64.b64encode(raw).decode()


def signed(lines, name=f"{ORIGIN}/3", signer=SIGNER):
    text = "".join(f"{line}\n" for line in lines)
    key = signer.public_key().public_bytes_raw()
    raw = hashlib.sha256(name.encode() + b"\n\x01" + key).digest()[:4] + signer.sign(text.encode())
    return f"{text}\n— {name} {b64(raw)}\n"


LINES = [f"{ORIGIN}/3", "42", b64(ROOT), "time 1795255200123456"]
TEXT = signed(LINES)


def read(text, **change):
    return checkpoints.read_checkpoint(text, **({"origin": ORIGIN, "key": KEY} | change))


def test_a_signed_checkpoint_is_read():
    assert read(TEXT) == Checkpoint(ORIGIN, 3, 42, ROOT, 1795255200123456)


def test_others_may_sign_too():
    witness = TEXT.partition("\n\n")[2].replace(f"{ORIGIN}/3", "witness.example/w")
    assert read(TEXT + witness) == read(TEXT)
    with pytest.raises(CheckpointRefused, match="no signature"):
        read(TEXT.partition("\n\n")[0] + "\n\n" + witness)


@pytest.mark.parametrize(
    ("place", "line", "why"),
    [
        (0, "peyvand.example", "line 1"), (0, f"{ORIGIN}/03", "line 1"), (0, "a b/3", "line 1"),
        (0, "a\x01b/3", "line 1"), (1, "042", "line 2"), (1, "-1", "line 2"), (1, "۴", "line 2"),
        (2, "AAAA", "line 3"), (2, b64(ROOT)[:-2] + "z=", "loose ends"), (3, "time 01", "line 4"),
        (3, "42", "line 4"), (3, LINES[3] + "\nmore", "line 5"), (1, str(2**63), "out of bounds"),
        (3, "time 999999999999999999", "out of bounds"), (0, f"{ORIGIN}/99999", "out of bounds"),
        (1, "0", "empty log"), (0, "sandbox.example/ledger/3", "not of peyvand"),
    ],
)  # fmt: skip
def test_malformed_text_is_refused_by_line(place, line, why):
    """Signed as it is: the form alone is wrong."""
    with pytest.raises(CheckpointRefused, match=why):
        read(signed([*LINES[:place], line, *LINES[place + 1 :]]))


def test_what_was_not_signed_is_refused():
    for text, why in (
        (TEXT.replace("\n42\n", "\n43\n"), "not over this text"),
        (signed(LINES, signer=Ed25519PrivateKey.from_private_bytes(bytes(32))), "no signature"),
        (signed(LINES, name="peyvand.example/other"), "no signature"),
        (TEXT[:-1], "signatures"),
        (TEXT + "\n", "signatures"),
        ("", "line 1"),
    ):
        with pytest.raises(CheckpointRefused, match=why):
            read(text)


def test_an_empty_log_is_read():
    assert read(signed([LINES[0], "0", b64(tree.EMPTY_ROOT), LINES[3]])).size == 0


def test_a_published_key_is_read():
    """The key of the Go reference implementation's own tests."""
    text = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
    name, key = checkpoints.key_of(text)
    assert (name, len(key)) == ("PeterNeumann", 32)
    for bad in (
        text.replace("c74f", "c74e"),
        text[:-4],
        "PeterNeumann",
        text.replace("+AR", "+BR"),
    ):
        with pytest.raises(CheckpointRefused):
            checkpoints.key_of(bad)
