"""Commands that a service sends to the ledger and whose outcome it waits for.

A noun derives the command's name from what it is for, keeps that name in a row of its own and
calls `send` in the same transaction. The outcome comes back on ledger.entries: its consumer calls
`record_outcomes`. `find_results` tells what became of a name. The table is requests (requests.sql).
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Final, LiteralString

from contracts import topics
from contracts.envelope import Envelope
from contracts.ledger import Outcome
from contracts.values import Status
from kit.base.db import Tx
from kit.stream import outbox

_COMPLETED: Final = (Status.COMPLETED, Status.UNDER_REVIEW)

# for a statement over a table t of the noun's own, whose column name is the command's
COMPLETED_EVERYWHERE: Final[LiteralString] = (
    "not exists (select from requests r where r.name = t.name and r.completed is not true)"
)


class Progress(StrEnum):
    """What became of a request. PENDING: a shard has not answered yet, and none has declined."""

    PENDING = "pending"
    COMPLETED = "completed"
    DECLINED = "declined"


@dataclass(frozen=True, slots=True)
class Answer:
    """What one shard answered to the command of a name; see Result for code, fa and en."""

    name: str
    shard: int
    command: str
    completed: bool
    code: str
    fa: str
    en: str
    answered_at: datetime


@dataclass(frozen=True, slots=True)
class Result:
    """What became of the command of a name, over all shards that it was sent to.

    code, fa, en: why it was declined, or why nothing changed; empty else. answered_at: the latest
    decision time of the shards that answered.
    """

    status: Progress = Progress.PENDING
    code: str = ""
    fa: str = ""
    en: str = ""
    answered_at: datetime | None = None


NOT_ANSWERED: Final = Result()


async def send(tx: Tx, commands: Sequence[tuple[int, Envelope[Any]]]) -> None:
    """Send commands, each with its shard, and remember them until they are answered.

    A shard that was sent the name before is not sent it again.
    """
    rows = await tx.fetch(
        "insert into requests (name, shard, command, requested_at)"
        " select * from unnest($1::text[], $2::int[], $3::text[], $4::timestamptz[])"
        " on conflict do nothing returning name, shard",
        [command.data.name for _, command in commands],
        [shard for shard, _ in commands],
        [command.type for _, command in commands],
        [command.accepted_at for _, command in commands],
    )
    new = {(row["name"], row["shard"]) for row in rows}
    outbox.add(
        tx,
        [
            outbox.message(topics.LEDGER_COMMANDS, command, partition=shard)
            for shard, command in commands
            if (command.data.name, shard) in new
        ],
    )


async def record_outcomes(
    tx: Tx, outcomes: Iterable[tuple[int, Outcome]], *, commands: Collection[str]
) -> list[Answer]:
    """Keep the ledger's answers to what was sent; gives those that are new.

    outcomes: each with its shard. commands: the types that the calling noun sends; outcomes of
    others cost nothing. A shard's first answer to a name stands.
    """
    answers: dict[tuple[str, int], Answer] = {}
    for shard, outcome in outcomes:
        if outcome.command in commands:
            answers.setdefault((outcome.name, shard), _answer(shard, outcome))
    if not answers:
        return []
    candidates = list(answers.values())
    rows = await tx.fetch(
        "update requests r set completed = u.completed, code = u.code, fa = u.fa, en = u.en,"
        " answered_at = u.answered_at"
        " from unnest($1::text[], $2::int[], $3::bool[], $4::text[], $5::text[], $6::text[],"
        " $7::timestamptz[]) as u (name, shard, completed, code, fa, en, answered_at)"
        " where r.name = u.name and r.shard = u.shard and r.completed is null"
        " returning r.name, r.shard",
        [a.name for a in candidates],
        [a.shard for a in candidates],
        [a.completed for a in candidates],
        [a.code for a in candidates],
        [a.fa for a in candidates],
        [a.en for a in candidates],
        [a.answered_at for a in candidates],
    )
    return [answers[row["name"], row["shard"]] for row in rows]


async def find_results(tx: Tx, names: Sequence[str]) -> dict[str, Result]:
    """What became of the commands of names; a name that was never sent is left out."""
    rows = await tx.fetch(
        "select name, shard, command, completed, code, fa, en, answered_at from requests"
        " where name = any($1::text[]) order by name, shard",
        list(names),
    )
    by_name: defaultdict[str, list[Answer | None]] = defaultdict(list)
    for row in rows:
        answered = row["completed"] is not None
        by_name[row["name"]].append(Answer(**dict(row)) if answered else None)
    return {name: result_of(answers) for name, answers in by_name.items()}


def result_of(answers: Sequence[Answer | None]) -> Result:
    """One result of the answers of every shard, in the order of shards; None: not answered yet.

    One shard that declines declines it. It changed nothing only where no shard changed anything.
    """
    known = [answer for answer in answers if answer is not None]
    declined = [answer for answer in known if not answer.completed]
    if not declined and len(known) < len(answers):
        return NOT_ANSWERED
    why = declined[0] if declined else min(known, key=lambda answer: answer.code != "")
    return Result(
        status=Progress.DECLINED if declined else Progress.COMPLETED,
        code=why.code,
        fa=why.fa,
        en=why.en,
        answered_at=max(answer.answered_at for answer in known),
    )


def _answer(shard: int, outcome: Outcome) -> Answer:
    why = outcome.reasons[0] if outcome.reasons else None
    return Answer(
        name=outcome.name,
        shard=shard,
        command=outcome.command,
        completed=outcome.status in _COMPLETED,
        code=outcome.code,
        fa="" if why is None else why.fa,
        en="" if why is None else why.en,
        answered_at=outcome.decided_at,
    )
