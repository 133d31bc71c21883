"""Commands: records of ledger.commands as they are decided, and what each says of itself."""

from datetime import datetime
from enum import StrEnum
from typing import Any, Final

from msgspec import Struct

from ledger.book.facts import BEGINNING

UNDECODABLE: Final = "undecodable"


class CommandFacts(Struct, frozen=True, kw_only=True):
    """What a command says of itself, whatever its kind; 0 or "" where it says nothing.

    original: name of the earlier command that it is about. shown: an account of another shard that
    somebody named instead. other_shard: the shard that value or budget goes to or comes from.
    kind: a till's transaction, or what is installed. replayed: it is a copy from an archive.
    """

    account: int = 0
    member: int = 0
    merchant: int = 0
    acceptor: int = 0
    terminal: int = 0
    original: str = ""
    shown: int = 0
    other_shard: int = 0
    purpose: str = ""
    case_id: str = ""
    kind: StrEnum | None = None
    replayed: bool = False


NO_FACTS: Final = CommandFacts()


class Command(Struct, frozen=True):
    """One record of ledger.commands. body: its data; None where nobody could read it.

    raw: the bytes as received. accepted_at: None where undecodable. ahead: accepted_at lies so far
    beyond its record's append time that no time may pass by it. facts: what body says.
    """

    shard: int
    name: str
    type: str
    raw: bytes
    body: Any
    id: str = ""
    key: str = ""
    occurred_at: datetime = BEGINNING
    accepted_at: datetime | None = None
    fingerprint: bytes | None = None
    ahead: bool = False
    facts: CommandFacts = NO_FACTS
