"""The auditor reads commands with shapes of its own: the very ones that the ledger can read."""

import copy
import json
from pathlib import Path

import msgspec
import pytest

from ledger.log.domain import records
from verifier.model.decode import decode_command

EXAMPLES = Path(__file__).parents[2] / "contracts/examples/ledger.commands"
DEEP = {levels: f"{levels} deep" for levels in (195, 200, 100_000)}  # put in as text: see nested
ODD = (
    None, -1, 0, 1, 9_999, 10_000, 10_001, 2**15, 2**31 - 1, 2**31, 2**53 - 1, 2**53, 2**63 - 1,
    2**63, 1.5, True, "", "open", "NP", "IRR", "rate", "till", "x" * 65, "x" * 201, "x" * 501,
    "2026-03-21T08:00:00Z", "2026-03-21", "2026-03-21T08:00:00", "2026-03-21T08:00:00+03:30",
    "0001-01-01T00:00:00Z", "0001-01-01T00:00:00+03:30", "1403-05-01T10:00:00+03:30",
    "1969-12-31T23:59:59.999999Z", "1970-01-01T00:00:00Z", "2199-12-31T23:59:59.999999Z",
    "2200-01-01T00:00:00Z", "9999-12-31T23:59:59.999999Z", "9999-12-31T23:59:59-23:59",
    [], [1], {}, "\x00",
)  # fmt: skip
GONE = object()


def places(value, path=()):
    """Paths to every field of a document, containers too."""
    items = value.items() if isinstance(value, dict) else enumerate(value)
    for key, inner in items:
        yield (*path, key)
        if isinstance(inner, dict | list):
            yield from places(inner, (*path, key))


def changed(document, path, value):
    """The document with another value there, or without the field."""
    made = copy.deepcopy(document)
    at = made
    for key in path[:-1]:
        at = at[key]
    if value is GONE:
        del at[path[-1]]
    else:
        at[path[-1]] = value
    return nested(json.dumps(made).encode())


def nested(raw):
    """The document with lists in one another where a text stands for them."""
    for levels, text in DEEP.items():
        raw = raw.replace(f'"{text}"'.encode(), b"[" * levels + b"]" * levels)
    return raw


def documents(path):
    """An example, and what comes of it when any one field is odd, or gone."""
    document = json.loads(path.read_text())
    yield json.dumps(document).encode()
    for place in places(document):
        for value in (*ODD, GONE):
            yield changed(document, place, value)
    for value in (*ODD, *DEEP.values()):
        yield changed(document, ("data", "unheard_of"), value)


@pytest.mark.parametrize("path", sorted(EXAMPLES.glob("*.json")), ids=lambda path: path.stem)
def test_both_read_the_same_records_and_refuse_the_same(path):
    for raw in documents(path):
        ours, theirs = records.command_from(0, raw), decode_command(raw)
        assert (ours.body is None) == (theirs is None), raw
        if theirs is not None:
            assert (ours.name, ours.type, ours.fingerprint) == (
                theirs.name, theirs.type, theirs.fingerprint,
            )  # fmt: skip
            wanted = plain(ours.body)
            assert wanted == pruned(plain(theirs.body), wanted), raw


def plain(body):
    """A body as JSON has it."""
    return msgspec.json.decode(msgspec.json.encode(body))


def pruned(found, wanted):
    """Fields that stand at their defaults are not written by contracts."""
    if isinstance(wanted, dict):
        return {key: pruned(found[key], wanted[key]) for key in wanted}
    if isinstance(wanted, list):
        assert len(found) == len(wanted)
        return [pruned(one, other) for one, other in zip(found, wanted, strict=True)]
    return found
