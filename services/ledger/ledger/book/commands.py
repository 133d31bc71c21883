"""Commands: records of ledger.commands as they are decided, and the facts of each."""

from datetime import datetime
from enum import StrEnum
from typing import Any, Final

from msgspec import Struct

from ledger.book.facts import BEGINNING

UNDECODABLE: Final = "undecodable"


class CommandFacts(Struct, frozen=True, kw_only=True):
    """Facts of a command, by the names of its body's fields; 0 or "" where it has none.

    original: name of the earlier command that it refers to. shown: an account of another shard that
    a till presented. other_shard: the shard that value or budget goes to or comes from. kind: of a
    till's transaction, or of installed terms. replayed: it is a copy from an archive.
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
    """One record of ledger.commands. body: its data; None where it could not be read.

    raw: the bytes as received. accepted_at: None where undecodable. ahead: accepted_at is so far
    beyond its record's append time that it must not advance the shard's time. facts: of the body.
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
