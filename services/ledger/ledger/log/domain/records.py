"""Records of ledger.commands as commands: decoded, or named by the hash of their bytes."""

import hashlib
from typing import Any, Final

from msgspec.structs import replace

from contracts import envelope as envelopes
from contracts.envelope import Envelope
from contracts.ledger import COMMANDS, PostTransaction, RefuseTransaction
from contracts.values import NAME_LENGTH_MAX, Kind, NameKind, Reason, name, storable
from ledger.book.commands import UNDECODABLE, Command
from ledger.log.domain.record_kinds import facts_of

FINGERPRINT_HEX: Final = 32  # the gateway's: 16 bytes; kept as bytes to keep the index narrow


def command_of(shard: int, raw: bytes, envelope: Envelope[Any] | None) -> Command:
    """A record as a command. envelope None, or a name that cannot be stored: undecodable."""
    body = envelope.data if envelope is not None else None
    named: str = body.name if body is not None else ""
    if envelope is None or not 0 < len(named) <= NAME_LENGTH_MAX or not storable(named):
        digest = hashlib.sha256(raw).hexdigest()
        return Command(shard, name(NameKind.UNDECODABLE, digest), UNDECODABLE, raw, None)
    return Command(
        shard,
        named,
        envelope.type,
        raw,
        body,
        id=envelope.id,
        key=envelope.key,
        occurred_at=envelope.occurred_at,
        accepted_at=envelope.accepted_at,
        fingerprint=fingerprint_bytes(envelope.fingerprint),
        facts=facts_of(body),
    )


def command_from(shard: int, raw: bytes) -> Command:
    """A stored record's bytes as a command again."""
    try:
        envelope = envelopes.decode(raw, COMMANDS)
    except envelopes.Malformed:
        envelope = None
    return command_of(shard, raw, envelope)


def refused(command: Command, reason: Reason) -> Command:
    """The refusal that is booked for a command that cannot be.

    It has the command's name, and the facts by which a till looks it up.
    """
    body, facts = command.body, command.facts
    is_transaction = isinstance(body, PostTransaction | RefuseTransaction)
    refusal = RefuseTransaction(
        name=command.name,
        reason=reason,
        kind=body.kind if is_transaction else Kind.PURCHASE,
        merchant=facts.merchant,
        terminal=facts.terminal,
        account=facts.account,
        replayed=facts.replayed,
    )
    return replace(command, body=refusal, facts=facts_of(refusal))


def fingerprint_bytes(text: str | None) -> bytes | None:
    """A fingerprint as it is stored: hex as its bytes, anything else as its own text."""
    if text is None:
        return None
    try:
        return bytes.fromhex(text) if len(text) == FINGERPRINT_HEX else text.encode()
    except ValueError:
        return text.encode()
