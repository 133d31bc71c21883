"""The counter where bad requests are handed in, one a run."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from peyvand import Client, Options, Retry, Timeouts, transport

from .participants import Member, Participants, Shop, Till, now, until

PATH = "/v1/transactions"
ONCE = Options(timeouts=Timeouts(request_s=20.0), retry=Retry(attempts_max=1))
Body = dict[str, Any]
Spoil = Callable[[Body], Any]


@dataclass(frozen=True, slots=True)
class Counter:
    """Where bad requests are handed in: a till, who buys there, and somebody on another shard."""

    participants: Participants
    shop: Shop
    till: Till
    raw: Client
    member: Member
    other: Member

    def body(self) -> Body:
        """A good purchase of two lines under a new name."""
        name = self.till.name()
        return {
            **name._asdict(),
            "kind": "purchase",
            "occurred_at": now().isoformat(),
            "identifier": {"card": self.member.number},
            "amount_rial": 300_000,
            "lines": [
                {"line": 1, "amount_rial": 200_000, "quantity": 2, "sku": "a-1"},
                {"line": 2, "amount_rial": 100_000, "category": "نان"},
            ],
        }

    @classmethod
    async def open(cls, participants: Participants) -> "Counter":
        """A till at the grocer, and a member with 500 points who buys there."""
        shop = await participants.shop("grocer")
        till = await participants.till(shop)
        member = await participants.shopper(till, 500)
        return cls(
            participants=participants,
            shop=shop,
            till=till,
            raw=participants.client(till.key, options=ONCE),
            member=member,
            other=await participants.member_elsewhere(member.shard),
        )

    async def hand_in(self, raw: bytes, client: Client | None = None) -> transport.Reply:
        """Send bytes once; once more where the gateway says that it took nothing."""
        through = (client or self.raw).transport

        async def ask() -> transport.Reply:
            return await through.request("POST", PATH, raw)

        return await until(ask, lambda reply: reply.status != 503)


def problem_of(reply: transport.Reply) -> Body:
    """The problem of a reply, with all that every problem says."""
    assert reply.headers["Content-Type"].startswith("application/problem+json")
    said = json.loads(reply.body)
    assert said["status"] == reply.status
    assert said["type"] == f"urn:peyvand:problem:{said['code']}"
    assert said["title"]
    assert len(said["detail"]) > 20
    assert any("\u0600" <= letter <= "\u06ff" for letter in said["fa"])
    return said


def put(**fields: Any) -> Spoil:
    """Fields in place of the good ones."""
    return lambda body: body | fields


def without(field: str) -> Spoil:
    return lambda body: {k: v for k, v in body.items() if k != field}


def first_line(**fields: Any) -> Spoil:
    return lambda body: body | {"lines": [body["lines"][0] | fields, *body["lines"][1:]]}


def text(change: Callable[[str], str]) -> Spoil:
    """The JSON text itself is spoilt."""
    return lambda body: change(json.dumps(body, ensure_ascii=False)).encode()
