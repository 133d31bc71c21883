"""What became of messages: the provider's callbacks, many to a commit, and asking it ourselves."""

import asyncio
import logging
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from kit import errors
from kit.db import Database, Tx
from notify import clients, settings, store
from notify.clients import Provider, Report
from notify.domain import messages
from notify.domain.messages import State
from notify.store import Change

log = logging.getLogger(__name__)

WAITING_MAX: Final = 10_000
COMMIT_MAX: Final = 500
ASK_PAGES_MAX: Final = 20

Waiting = tuple[Report, asyncio.Future[bool]]


class Desk:
    """Takes callbacks and writes all that have come by then in one transaction."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._waiting: asyncio.Queue[Waiting] = asyncio.Queue(WAITING_MAX)

    async def record(self, report: Report) -> bool:
        """Write one receipt down; True once it is committed, False for a message not ours.

        Raises Unavailable when too many wait: the provider calls again.
        """
        done: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        try:
            self._waiting.put_nowait((report, done))
        except asyncio.QueueFull:
            raise errors.Unavailable("too many receipts at once; call again") from None
        return await done

    async def run(self) -> None:
        """Work until cancelled."""
        while True:
            taken = [await self._waiting.get()]
            while len(taken) < COMMIT_MAX and not self._waiting.empty():
                taken.append(self._waiting.get_nowait())
            await self._settle(taken)

    async def _settle(self, taken: Sequence[Waiting]) -> None:
        try:
            async with self._database.transaction() as tx:
                ours = await record_receipts(tx, [report for report, _ in taken])
        except errors.Problem as problem:
            for _, done in taken:
                if not done.done():
                    done.set_exception(problem)
            return
        for report, done in taken:
            if not done.done():
                done.set_result(report.provider_id in ours)


async def record_receipts(tx: Tx, reports: Sequence[Report]) -> set[int]:
    """Move messages on by the provider's reports, in their order; gives the ids that are ours.

    A state never moves back, and a final one never at all.
    """
    ours = await store.find_provider_ids(tx, [report.provider_id for report in reports])
    reached: dict[int, State] = {}
    for report in reports:
        state = messages.from_provider(report.status)
        if report.provider_id not in ours or state is None or state is State.UNKNOWN:
            continue  # "unknown" is an answer to a question, not a receipt
        before = reached.get(report.provider_id)
        if before is None or before in messages.befores(state):
            reached[report.provider_id] = state
    for state, ids in _by_state(reached).items():
        await store.update_reported(tx, state, ids, befores=messages.befores(state))
    return ours


@dataclass(frozen=True, kw_only=True)
class Asker:
    """Asks about messages of which no callback has told the end. wall: the provider's time."""

    database: Database
    provider: Provider
    wall: Callable[[], datetime]

    async def run(self) -> int:
        """One round; gives how many messages were asked about. Never raises for the provider."""
        asked = 0
        for _ in range(ASK_PAGES_MAX):
            wall = self.wall()
            async with self.database.transaction() as tx:
                rows = await store.claim_under_way(
                    tx,
                    accepted_before=wall - settings.ASK_AGE_MIN,
                    asked_before=wall - settings.ASK_AGAIN,
                    wall=wall,
                    limit=settings.ASK_IDS_MAX,
                )
            if rows and not await self._ask(rows, wall):
                return asked
            asked += len(rows)
            if len(rows) < settings.ASK_IDS_MAX:
                return asked
        return asked

    async def _ask(self, rows: Sequence[tuple[int, int, datetime]], wall: datetime) -> bool:
        try:
            reports = await self.provider.find([provider_id for _, provider_id, _ in rows])
        except (clients.Refused, clients.Silent) as trouble:
            log.warning("asking about deliveries: %s", trouble)
            return False
        forgotten = [
            Change(message_id=message_id, reason="provider-forgot")
            for (message_id, _, accepted_at), report in zip(rows, reports, strict=True)
            if report.status == 100 and wall - accepted_at > settings.STATUS_HORIZON
        ]
        async with self.database.transaction() as tx:
            await record_receipts(tx, reports)
            if forgotten:
                befores = messages.befores(State.UNKNOWN)
                await store.update_moved(tx, State.UNKNOWN, forgotten, befores=befores, wall=wall)
        return True


def _by_state(reached: Mapping[int, State]) -> dict[State, list[int]]:
    found: defaultdict[State, list[int]] = defaultdict(list)
    for provider_id, state in reached.items():
        found[state].append(provider_id)
    return found
