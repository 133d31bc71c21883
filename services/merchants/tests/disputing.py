"""A closed window whose lines are disputed, and the steps of a dispute at the door."""

import uuid
from datetime import timedelta
from typing import Any

from kit.base.db import Database
from merchants.disputes.domain.disputes import Deadlines

from .ledger_outcomes import BAKER, FLORIST, GROCER, outcome, redemption, refund
from .test_clearing import SALES, Batch, commit, markers

BACK = (1, outcome(3, refund(BAKER, GROCER, 2_000, 30)))
SOLD: Batch = (*SALES, BACK, (2, outcome(1, redemption(BAKER, FLORIST, 5_000, 0))))
OWED = 10_000  # by the baker to the grocer in window 1: 12,000, of which 2,000 went back
FIRST_ENDS = {0: 4, 1: 4, 2: 2}
DAYS = Deadlines(timedelta(days=45), timedelta(days=10), timedelta(days=10))
TITLES = {BAKER: "نان", GROCER: "بقالی", FLORIST: "گل"}
NETWORK_ROLES = ("partners", "money", "auditor")


def id_of(number: int) -> str:
    """The UUID of a dispute of a test."""
    return str(uuid.UUID(int=number))


def body_of(**changes: Any) -> dict[str, Any]:
    """What the baker sends of its line with the grocer."""
    body = {
        "window": 1,
        "counterparty": GROCER,
        "amount_rial": 4_000,
        "reason": "duplicate",
        "text": "این فروش دو بار آمده است",
    }
    return body | changes


class Parties:
    """The door as the parties' programs and the network call it."""

    def __init__(self, door: Any, pool: Database) -> None:
        self.door = door
        self.pool = pool
        self.windows = 0

    async def by(self, party: int, method: str, rest: str, body: Any = None, **call: Any) -> Any:
        """A call with a party's key."""
        path = f"/v1/parties/{party}/disputes{rest}"
        return await self.door(method, path, body, roles=(f"party:{party}",), **call)

    async def open(self, number: int = 1, party: int = BAKER, **changes: Any) -> Any:
        """A party disputes a line."""
        return await self.by(party, "PUT", f"/{id_of(number)}", body_of(**changes))

    async def answer(self, rial: int, number: int = 1, party: int = GROCER, note: str = "") -> Any:
        """The other party answers."""
        body = {"accepted_rial": rial, "note": note}
        return await self.by(party, "PUT", f"/{id_of(number)}/answer", body)

    async def escalate(self, number: int = 1, party: int = BAKER) -> Any:
        """Whoever opened it asks the network."""
        return await self.by(party, "PUT", f"/{id_of(number)}/escalation", {})

    async def withdraw(self, number: int = 1, party: int = BAKER) -> Any:
        """Whoever opened it gives it up."""
        return await self.by(party, "PUT", f"/{id_of(number)}/withdrawal", {})

    async def decide(self, rial: int, number: int = 1, approved_by: str = "reza") -> Any:
        """The network decides."""
        path = f"/v1/disputes/{id_of(number)}/decision"
        body = {"upheld_rial": rial, "note": "رأی"}
        return await self.door("PUT", path, body, roles=("money",), approved_by=approved_by)

    async def get(self, number: int = 1) -> dict[str, Any]:
        """A dispute as the network sees it."""
        answer = await self.door("GET", f"/v1/disputes/{id_of(number)}", roles=("auditor",))
        assert answer.status_code == 200, answer.text
        return answer.json()

    async def close(self, ends: dict[int, int], *sold: Any) -> int:
        """Close the open window after what was sold in it; ends: where its markers stand."""
        self.windows += 1
        await commit(self.pool, sold)
        assert (await self.door("PUT", f"/v1/windows/{self.windows}", {})).status_code == 202
        await commit(self.pool, markers(self.windows, ends))
        return self.windows

    async def statement(self, window: int, party: int) -> dict[str, Any]:
        """A party's statement."""
        answer = await self.door("GET", f"/v1/windows/{window}/statements/{party}")
        assert answer.status_code == 200, answer.text
        return answer.json()

    async def positions(self, window: int) -> dict[int, dict[str, int]]:
        """The positions of a closed window by party."""
        answer = await self.door("GET", f"/v1/windows/{window}/positions")
        assert answer.status_code == 200, answer.text
        return {
            one["party"]: {name: int(rial) for name, rial in one.items()}
            for one in answer.json()["items"]
        }

    async def differences(self, window: int) -> list[dict[str, Any]]:
        """What does not reconcile."""
        answer = await self.door("GET", f"/v1/windows/{window}/reconciliation")
        assert answer.status_code == 200, answer.text
        return answer.json()["differences"]


async def arranged(door: Any, pool: Database) -> Parties:
    """Window 1, closed, in which the baker came to owe the grocer; parties and a shop each."""
    parties = Parties(door, pool)
    for party, title in TITLES.items():
        body = {"title_fa": title, "title_en": "x"}
        assert (await door("PUT", f"/v1/parties/{party}", body)).status_code == 201
        shop = {"party": party, "sector": "bakery"} | body
        assert (await door("PUT", f"/v1/merchants/{party}0", shop)).status_code == 201
    await parties.close(FIRST_ENDS, *SOLD)
    return parties


def ends_after(window: int) -> dict[int, int]:
    """Where the markers of an empty window stand."""
    return {shard: last + window - 1 for shard, last in FIRST_ENDS.items()}
