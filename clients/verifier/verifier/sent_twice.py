"""Names that tills and shops sent to more than one shard, told from faults of the ledger."""

from dataclasses import dataclass, field
from typing import Any, NamedTuple

from verifier.leaves import Leaf
from verifier.model.decode import Command, decode_command
from verifier.model.messages import Transaction

LISTED_MAX = 1000
# families whose names are chosen outside the platform: tills, orders, imported history
OUTSIDE = frozenset({"t", "o", "h"})


class Answered(NamedTuple):
    """One leaf that answered a name."""

    shard: int
    sequence: int
    leaf: Leaf


@dataclass(frozen=True)
class Sent:
    """One such name, with terminal and merchant of its first command, 0 where it names none."""

    name: str
    terminal: int
    merchant: int
    shards: tuple[int, ...]
    sequences: tuple[int, ...]

    def as_json(self) -> dict[str, Any]:
        """The name in the report."""
        return {
            "terminal": self.terminal, "merchant": self.merchant, "name": self.name,
            "shards": list(self.shards), "sequences": list(self.sequences),
        }  # fmt: skip


@dataclass
class SentTwice:
    """All such names: counted, and listed up to a bound."""

    count: int = 0
    listed: list[Sent] = field(default_factory=list[Sent])

    def add(self, sent: Sent) -> None:
        """Add one name."""
        self.count += 1
        if len(self.listed) < LISTED_MAX:
            self.listed.append(sent)


def sent_twice(name: str, places: list[Answered]) -> Sent | None:
    """The name as a fault of its sender, or None: then it is a fault of the ledger.

    One answer per name holds within a shard (architecture 2). A till that presents members of two
    shards under one name gets an answer from both. So every leaf must be on another shard and have
    a command of its own: this name with a fingerprint that no other has, or a reversal of this
    name.
    """
    answered = [(place, decode_command(place.leaf.head[5])) for place in places]
    requests = {_request_of(name, place.leaf, command) for place, command in answered}
    apart = len({place.shard for place in places}) == len(places)
    if not apart or None in requests or len(requests) < len(places):
        return None
    if name.partition(".")[0] not in OUTSIDE:
        return None
    body: Any = next((command.body for _, command in answered if command is not None), None)
    return Sent(
        name,
        getattr(body, "terminal", 0),
        getattr(body, "merchant", 0),
        tuple(place.shard for place in places),
        tuple(place.sequence for place in places),
    )


def _request_of(name: str, leaf: Leaf, command: Command | None) -> tuple[str, bytes] | None:
    """The outside request for which a leaf answered a name; None where there was none."""
    if command is None or command.fingerprint is None:
        return None
    names = dict(leaf.rows.get("names", ()))
    body = command.body
    own = command.name == name and names.get(name) == command.fingerprint
    undone = isinstance(body, Transaction) and body.kind == "reversal" and body.original == name
    return (command.name, command.fingerprint) if own or (undone and name in names) else None
