"""Whether every shard moves: a sale on each."""

import asyncio
from dataclasses import dataclass

from peyvand import Answer, Identifier, models, requests

from .load import STUBBORN, until_answered
from .participants import Participants, Till, now


@dataclass(slots=True)
class Shards:
    """A till and a member on each shard, to see that every one of them moves."""

    participants: Participants
    till: Till
    members: dict[int, Identifier]

    @classmethod
    async def open(cls, participants: Participants) -> "Shards":
        till = await participants.till(await participants.shop("grocer"), options=STUBBORN)
        members: dict[int, Identifier] = {}
        while len(members) < participants.cluster.shards:
            member = await participants.member()
            members.setdefault(member.shard, models.mobile(member.mobile))
        return cls(participants, till, members)

    async def all_post(self) -> None:
        """A transaction of each shard goes through."""
        async with asyncio.TaskGroup() as each:
            tasks = [each.create_task(self.post(shard)) for shard in self.members]
        assert all(task.result().id for task in tasks)

    async def post(self, shard: int) -> Answer:
        """A sale on one shard; small, so that it earns nothing to count for."""
        sold = requests.purchase(
            self.till.name(), self.members[shard], amount_rial=10_000, occurred_at=now()
        )
        return await until_answered(self.till, sold)
