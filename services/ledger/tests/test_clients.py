"""The folder of checkpoints: notes behind one another, torn writes, searches, two writers; keys."""

from datetime import UTC, datetime
from hashlib import sha256

import pytest
from cryptography.hazmat.primitives.asymmetric import ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from kit.base.settings import SettingsError
from ledger.log import clients
from ledger.log.domain import checkpoints
from ledger.log.domain.checkpoints import Checkpoint

KEY = ed25519.Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
AT = datetime(2026, 5, 1, tzinfo=UTC)


def note(size, shard=3):
    root = sha256(str(size).encode()).digest()
    return checkpoints.sign(Checkpoint("peyvand.test/ledger", shard, size, root, AT), KEY)


@pytest.fixture
def archive(tmp_path):
    return clients.Archive(tmp_path / "checkpoints")


def fill(archive, sizes):
    last = archive.last(3)
    for size in sizes:
        assert archive.append(3, note(size), after=last)
        last = note(size)


def test_notes_stand_behind_one_another_and_are_found_by_size(archive):
    sizes = list(range(5, 5 + 7 * 500, 7))  # a hundred thousand bytes: many windows
    fill(archive, sizes)
    path = archive.folder / "3.checkpoints"
    assert path.stat().st_size > 5 * clients.WINDOW_BYTES
    assert path.read_text() == "".join(map(note, sizes))
    assert archive.last(3) == note(sizes[-1])
    assert (archive.shards(), archive.last(4)) == ([3], None)
    for size in sizes:
        assert archive.find(3, size) == note(size)
    for size in (0, 4, 6, sizes[-1] + 1, sizes[40] + 1):
        assert archive.find(3, size) is None
    assert archive.find(9, 5) is None


def test_a_writer_that_did_not_see_the_last_one_adds_nothing(archive):
    fill(archive, [1, 2])
    assert not archive.append(3, note(3), after=note(1))
    assert not archive.append(3, note(3), after=None)
    assert archive.last(3) == note(2)


def test_whatever_a_crash_leaves_behind_is_passed_over(tmp_path):
    whole = note(9).encode()
    for cut in (*range(1, len(whole), 11), len(whole) - 1):
        archive = clients.Archive(tmp_path / str(cut))
        fill(archive, [7, 8])
        path = archive.folder / "3.checkpoints"
        path.write_bytes(path.read_bytes() + whole[:cut])
        assert archive.last(3) == note(8)
        assert archive.append(3, note(11), after=note(8))
        assert archive.last(3) == note(11)
        assert [archive.find(3, size) for size in (7, 8, 9, 11)] == [
            note(7), note(8), None, note(11),
        ]  # fmt: skip


def test_a_file_that_ends_in_something_else_is_unreadable(archive):
    fill(archive, [1])
    path = archive.folder / "3.checkpoints"
    path.write_bytes(path.read_bytes() + b"x" * clients.WINDOW_BYTES)
    with pytest.raises(clients.Unreadable):
        archive.last(3)
    with pytest.raises(clients.Unreadable):
        archive.append(3, note(2), after=note(1))


def test_keys_are_written_once_and_kept(archive):
    for line in ("a+1+x", "b+2+y", "a+1+x"):
        archive.keep_key(line)
    assert archive.keys() == ["a+1+x", "b+2+y"]
    assert clients.Archive(archive.folder / "none").keys() == []


def keep(path, key, mode=0o600):
    path.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    path.chmod(mode)
    return path


def test_the_signing_key_is_private_and_of_its_kind(tmp_path):
    found = clients.signing_key(keep(tmp_path / "key.pem", KEY))
    assert found.private_bytes_raw() == KEY.private_bytes_raw()
    for mode in (0o640, 0o604, 0o660):
        with pytest.raises(SettingsError, match="others"):
            clients.signing_key(keep(tmp_path / "key.pem", KEY, mode))
    with pytest.raises(SettingsError, match="no key"):
        clients.signing_key(tmp_path / "missing.pem")
    (tmp_path / "bad.pem").write_text("hello")
    (tmp_path / "bad.pem").chmod(0o600)
    with pytest.raises(SettingsError, match="no key"):
        clients.signing_key(tmp_path / "bad.pem")
    other = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    with pytest.raises(SettingsError, match="Ed25519"):
        clients.signing_key(keep(tmp_path / "rsa.pem", other))
