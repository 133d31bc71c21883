"""Merchants, tills and members in a platform, made through its public interface alone."""

import asyncio
import itertools
import secrets
import time
import uuid
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

import httpx

from cluster import connections, plan
from peyvand import (
    Answer,
    Answered,
    Client,
    Identifier,
    Line,
    NotFound,
    Operator,
    Options,
    OutcomeUnknown,
    Pending,
    Preview,
    Retry,
    Status,
    TillReference,
    Timeouts,
    TooMany,
    Transaction,
    Unavailable,
    models,
)
from peyvand.administration import Activation, Programme, Terms

WAIT_S = 60.0  # of a machine that others keep busy
START = datetime(2026, 1, 1, tzinfo=UTC)
PRICE_RIAL = 100  # of one point
FEE_BP = 150
EARN_PER_RIAL = 1_000
GIFT_RIAL = 200_000  # for the first purchase
NETWORK = 1
PATIENT = Options(timeouts=Timeouts(request_s=15.0), retry=Retry(attempts_max=60, wait_max_s=1.0))
T = TypeVar("T")


def now() -> datetime:
    """A till's clock."""
    return datetime.now(UTC)


async def until(
    ask: Callable[[], Awaitable[T]],
    holds: Callable[[T], bool] = bool,
    *,
    wait_s: float = WAIT_S,
    step_s: float = 0.1,
) -> T:
    """Ask again until the answer holds. Raises TimeoutError with the last answer."""
    deadline = time.monotonic() + wait_s
    while not holds(heard := await ask()):
        if time.monotonic() > deadline:
            raise TimeoutError(f"after {wait_s:.0f} s still {heard!r}")
        await asyncio.sleep(step_s)
    return heard


@dataclass(frozen=True, slots=True)
class Shop:
    """A merchant and the party that owes for it."""

    merchant: int
    party: int
    branch: int


@dataclass(slots=True)
class Till:
    """A terminal with its key and counter."""

    shop: Shop
    terminal: int
    epoch: int
    key: str
    key_id: str
    client: Client
    used: Iterator[int] = field(default_factory=lambda: itertools.count(1))

    def name(self) -> TillReference:
        """A name that was never used."""
        return TillReference(self.terminal, self.epoch, next(self.used))

    async def buy(
        self, member: "Member", amount_rial: int, *, lines: tuple[Line, ...] = ()
    ) -> Answer:
        """A purchase under a new name that goes well, and its answer."""
        heard = await self.client.purchase(
            self.name(), member.card, amount_rial=amount_rial, occurred_at=now(), lines=lines
        )
        answer = answer_of(heard)
        assert answer.status is Status.COMPLETED, answer
        return answer

    async def send(self, request: Transaction) -> Answer:
        """Send a request and give its answer."""
        return answer_of(await self.client.submit(request))


def answer_of(heard: Answered | Pending) -> Answer:
    """The answer that came, of no inquiry."""
    assert isinstance(heard, Answered), heard
    assert isinstance(heard.answer, Answer), heard
    return heard.answer


def body_of(heard: Answered | Pending) -> bytes:
    """The very bytes of an answer that came."""
    assert isinstance(heard, Answered), heard
    return heard.body


def preview_of(heard: Answered | Pending) -> Preview:
    """The answer of an inquiry."""
    assert isinstance(heard, Answered), heard
    assert isinstance(heard.answer, Preview), heard
    return heard.answer


@dataclass(frozen=True, slots=True)
class Member:
    """A person as enrolled. mobile: as 09…"""

    member: int
    account: int
    shard: int
    mobile: str
    number: str
    identifier_id: str
    qr: str

    @property
    def card(self) -> Identifier:
        """What the member shows."""
        return models.card(self.number)


@dataclass(slots=True, kw_only=True)
class Participants:
    """Everybody of one run. Numbers begin at the run's own second, so that runs never meet."""

    cluster: plan.Cluster
    operator: Operator
    treasurer: Operator
    reviewer: Operator
    numbers: Iterator[int]
    clients: list[Client] = field(default_factory=list[Client])
    _shops: dict[str, Shop] = field(default_factory=dict[str, Shop])

    @classmethod
    def of(cls, cluster: plan.Cluster) -> "Participants":
        """Nobody yet."""
        url, keys = cluster.url(plan.GATEWAY), cluster.credentials
        first = int(time.time()) % 1_000_000 * 1_000 + 1_000_000_000
        return cls(
            cluster=cluster,
            operator=Operator(url, keys.operator_key("operator"), options=PATIENT),
            treasurer=Operator(url, keys.operator_key("treasurer"), options=PATIENT),
            reviewer=Operator(url, keys.operator_key("reviewer"), options=PATIENT),
            numbers=itertools.count(first),
        )

    async def settle(self) -> None:
        """The network's terms, the same in every run; the gift is the platform's own."""
        try:
            await self.operator.terms(1)
        except NotFound:
            terms = Terms(
                effective_from=START,
                price_rial=PRICE_RIAL,
                price_points=1,
                fee_bp=FEE_BP,
                backdated=True,
            )
            await self.operator.put_terms(1, terms)
        assert (await self.operator.first_purchase(1))["amount_rial"] == GIFT_RIAL

    async def close(self) -> None:
        """Close every connection."""
        for client in (self.operator, self.treasurer, self.reviewer, *self.clients):
            await client.close()

    # ------------------------------------------------------------------------------- merchants

    async def shop(self, title: str, **programme: Any) -> Shop:
        """The merchant of that title with its programme, ready to sell; made when first named."""
        if title not in self._shops:
            self._shops[title] = await self.open_shop(title, **programme)
        return self._shops[title]

    async def open_shop(self, title: str, **programme: Any) -> Shop:
        """A new merchant; it earns a point for every 1,000 Rial unless programme says else."""
        shop = Shop(
            merchant=next(self.numbers), party=next(self.numbers), branch=next(self.numbers)
        )
        titles: dict[str, Any] = {"title_fa": "فروشگاه", "title_en": title}
        await self.operator.put_party(shop.party, titles)
        about = {"party": shop.party, "sector": "supermarket", **titles}
        await self.operator.put_merchant(shop.merchant, about)
        await self.operator.put_branch(shop.merchant, shop.branch, titles)
        given: dict[str, Any] = {
            "earn_points": 1,
            "earn_per_rial": EARN_PER_RIAL,
            "validity_days": 365,
        }
        body = Programme(effective_from=START, backdated=True, **titles, **(given | programme))
        await self.operator.put_programme(shop.merchant, 1, body)
        till, asker = await self.till(shop), await self.member()

        async def would_earn() -> int:
            name, at = till.name(), now()
            amount = 1_000 * body.earn_per_rial
            try:
                heard = await till.client.inquire(
                    name, asker.card, amount_rial=amount, occurred_at=at
                )
            except OutcomeUnknown:
                return 0
            return preview_of(heard).would_earn_points

        await until(would_earn)  # by now the gateway and campaigns know the programme
        return shop

    async def till(self, shop: Shop, *, online: bool = False, options: Options = PATIENT) -> Till:
        """A new terminal of a merchant, activated; online: the one that names its orders."""
        terminal = next(self.numbers)
        await self.operator.put_terminal(shop.merchant, terminal, branch=shop.branch, online=online)
        made: Activation = await self.operator.activate_terminal(terminal, str(uuid.uuid4()))
        assert made.key is not None
        client = self.client(made.key, options=options)
        return Till(shop, terminal, made.epoch, made.key, made.key_id, client)

    async def other_server(self, till: Till) -> Till:
        """The same terminal under a further key."""
        key_id = secrets.token_hex(4)
        made = await self.operator.put_terminal_key(till.terminal, key_id)
        client = self.client(made["key"])
        return Till(till.shop, till.terminal, till.epoch, made["key"], key_id, client)

    def client(self, key: str, *, options: Options = PATIENT) -> Client:
        """A client of the gateway under a key."""
        made = Client(self.cluster.url(plan.GATEWAY), key, options=options)
        self.clients.append(made)
        return made

    # --------------------------------------------------------------------------------- members

    async def member(self, *, receipts: bool = False, account: int | None = None) -> Member:
        """Enrol somebody new; account: into the household that owns it."""
        return await self.enrol(
            receipts=receipts, **({} if account is None else {"account": account})
        )

    async def enrol(self, *, receipts: bool = False, **more: Any) -> Member:
        """Enrol somebody new; more: further fields of the enrolment."""
        mobile = f"091{secrets.randbelow(10**8):08d}"
        body: dict[str, Any] = {
            "mobile": mobile,
            "name": "سارا",
            "consents": {"terms": True, "receipts": receipts, "marketing": False},
            **more,
        }
        made = await self.operator.enrol(str(uuid.uuid4()), body)
        card = made.card
        return Member(
            made.member, made.account, made.shard, mobile, card.number, card.identifier_id, made.qr
        )

    async def member_elsewhere(self, shard: int) -> Member:
        """Somebody whose account lives on another shard."""
        return await until(self.member, lambda made: made.shard != shard, step_s=0)

    async def member_on(self, shard: int) -> Member:
        """Somebody whose account lives on that shard."""
        return await until(self.member, lambda made: made.shard == shard, step_s=0)

    async def shopper(self, till: Till, points: int, *, receipts: bool = False) -> Member:
        """Somebody with so many points, whose gift for the first purchase has come."""
        member = await self.member(receipts=receipts)
        answer = await till.buy(member, points * EARN_PER_RIAL)
        assert answer.points_earned == points
        await until(lambda: self.credit(member), lambda rial: rial == GIFT_RIAL)
        return member

    async def balance(self, member: Member) -> dict[str, Any]:
        """What the book says of an account, without the time of asking."""
        shown = await self.operator.balance(member.account)
        return {k: v for k, v in shown.items() if k not in ("as_of", "sequence")}

    async def credit(self, member: Member) -> int:
        """Rial of credit."""
        return (await self.operator.balance(member.account))["credit_rial"]

    async def texts(self, member: Member) -> list[str]:
        """SMS that reached the member, newest first."""
        url = self.cluster.url(plan.SIMULATOR)
        async with httpx.AsyncClient(base_url=url, timeout=15.0) as provider:
            found = (await provider.get(f"/phones/{member.mobile}")).json()
        return [message["text"] for message in found]

    # --------------------------------------------------------------------------------- looking

    async def names_posted(self, terminal: int) -> list[str]:
        """Names of a terminal that have an outcome, on whatever shard."""
        rows = await self.rows(
            "ledger", "select name from outcomes where name like $1", f"t.{terminal}.%"
        )
        return sorted(row["name"] for row in rows)

    async def rows(self, room: str, query: str, *arguments: Any) -> list[dict[str, Any]]:
        """The rows of a query on a room's database."""
        db = await connections.connect(self.cluster.servers.dsn(room, f"{room}_owner"))
        try:
            return [dict(row) for row in await db.fetch(query, *arguments)]
        finally:
            await db.close()


TRANSIENT = (OutcomeUnknown, Unavailable, TooMany)
DAY = timedelta(days=1)
