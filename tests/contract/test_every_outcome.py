"""What the ledger says every room can read: each command kind, each status, each room's decoder."""

from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from contracts import envelope as envelopes
from contracts.envelope import Envelope
from contracts.ledger import Outcome
from contracts.topics import LEDGER_COMMANDS, LEDGER_ENTRIES
from contracts.value import AccountStatus
from contracts.values import Reason, Status
from ledger.log.domain import records
from ledger.posting.decide import answers, commands
from ledger.posting.decide.batch_state import BatchState
from ledger.posting.domain.shard_registry import Subject
from support import services

EXAMPLES = sorted(
    (Path(__file__).parents[2] / "contracts/examples" / LEDGER_COMMANDS.name).glob("*.json")
)
COMMANDS = [path for path in EXAMPLES if not path.name.startswith("inquire.")]  # a query has none
NOBODY: Any = object()
DECODERS = {
    (name, part.name): dict(one.read_as)
    for name in services.SERVICES
    for service in [services.service(name)]
    for part in [make(services.opened(service, NOBODY, NOBODY)) for make in service.parts]
    for one in part.hears
    if one.topic is LEDGER_ENTRIES
}
WHY = Reason(code="could-not-be-decided", fa="نشد", en="could not be decided")


def said_of(raw, *, frozen=False, refused=False):
    """Outcomes of a record on an empty book, or on one where all that it names is closed."""
    book, command = BatchState(), records.command_from(0, raw)
    if refused:
        command = records.refused(command, WHY)
    if frozen:
        registry = book.shard(0).registry
        for number in (getattr(command.body, "account", 0), getattr(command.body, "party", 0)):
            for of_party in (False, True):
                registry.standings[Subject(of_party, number)] = AccountStatus.CLOSED
    decision = commands.decide_one(book, command).decision
    return [] if decision is None else answers.outcomes(decision)


def read_by_all(outcome):
    """Have each room's decoder read it, as the ledger writes it."""
    said = Envelope(
        id="o",
        type="outcome-recorded.v1",
        key="1",
        occurred_at=outcome.decided_at,
        accepted_at=outcome.decided_at,
        data=outcome,
    )
    raw = envelopes.encode(said)
    for room, decoders in DECODERS.items():
        read = envelopes.decode(raw, decoders).data
        assert isinstance(read, Outcome), room
        assert envelopes.encode(replace(said, data=read)) == raw, room


def test_every_consumer_of_the_topic_is_asked():
    assert {name for name, _ in DECODERS} == set(LEDGER_ENTRIES.consumers)


def test_every_kind_of_command_has_an_example():
    kinds = {path.name.split(".v1")[0] + ".v1" for path in EXAMPLES}
    assert kinds == set(LEDGER_COMMANDS.events)


@pytest.mark.parametrize("path", COMMANDS, ids=lambda path: path.stem)
def test_every_outcome_of_every_command_is_read_by_every_room(path):
    raw = path.read_bytes()
    told = [*said_of(raw), *said_of(raw, frozen=True), *said_of(raw, refused=True)]
    assert told[-1].status is Status.REFUSED
    for outcome in told:
        read_by_all(outcome)


@pytest.mark.parametrize("status", list(Status))
def test_every_status_of_terms_is_read_by_every_room(status):
    raw = next(path for path in EXAMPLES if path.name.startswith("install-terms.v1")).read_bytes()
    (outcome,) = said_of(raw)
    read_by_all(replace(outcome, status=status))
