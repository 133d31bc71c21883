"""The story the demo tells, chapter by chapter, and the figures at its end."""

import asyncio
import random
import time
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final

from rich.progress import Progress, TaskID

from cluster import plan, processes
from lab.demo import figures, opening
from lab.demo.plan import Act
from lab.demo.purchases import Visit
from lab.demo.settling import Settler
from lab.demo.shopping import Shopping
from lab.demo.street import Street
from lab.observe import driver, messages, recompute
from peyvand import Operator, PeyvandError, TillReference
from peyvand.operators import every

GATEWAY_FALLS_AT: Final = 0.6  # of the acts
REVIEWED_AT: Final = (0.2, 0.4, 0.6, 0.8, 1.0)  # of what comes after
FALLING_ACTS: Final = 400  # sent while the gateway is killed and started again
AGAIN_AFTER_FALL: Final = 150
AFTERWARDS: Final = timedelta(days=20)
RELEASED_SHARE: Final = 0.6
DAY_SUM_HELD_RIAL: Final = 90_000_000


@dataclass(slots=True)
class StoryContext:
    """What the story needs all along."""

    cluster: plan.Cluster
    acts: list[Act]
    bars: Progress
    driver: driver.Driver
    operator: Operator = field(init=False)
    reviewer: Operator = field(init=False)
    treasurer: Operator = field(init=False)
    street: Street | None = None
    rng: random.Random = field(default_factory=lambda: random.Random(7))

    def __post_init__(self) -> None:
        url, keys = self.cluster.url("gateway"), self.cluster.credentials
        self.operator = Operator(url, keys.operator_key("operator"))
        self.reviewer = Operator(url, keys.operator_key("reviewer"))
        self.treasurer = Operator(url, keys.operator_key("treasurer"))

    def bar(self, text: str, total: int) -> TaskID:
        """A progress bar."""
        return self.bars.add_task(text, total=total, note="")

    async def close(self) -> None:
        """Close every connection."""
        await self.operator.close()
        await self.reviewer.close()
        await self.treasurer.close()
        await self.driver.close()
        for tills in self.street.tills.values() if self.street else ():
            for till in tills:
                await till.client.close()


async def tell(context: StoryContext, visits: list[Visit]) -> dict[str, Any]:
    """Play everything; the figures of the report."""
    bar = context.bar("merchants, tills and customers", opening.registrations(visits))
    await context.driver.advance(visits[0].at - opening.BACK)
    context.street = await opening.open_street(
        context.cluster.url("gateway"),
        context.operator,
        visits,
        tick=lambda: context.bars.advance(bar),
    )
    await _tighten_rules(context)
    await driver.drained(context.cluster)
    began = time.monotonic()
    shopping = await _shop(context, context.street)
    shopping_s = time.monotonic() - began
    await _send_again(context, context.street, shopping.later)
    await _let_time_pass(context, context.acts[-1].at + AFTERWARDS)
    report = await _figures(context, context.street, shopping_s)
    report["settlement"] |= await _settle(context)
    return report


async def _settle(context: StoryContext) -> dict[str, Any]:
    bar = context.bar("windows settled through the bank", 1)
    settler = Settler(
        cluster=context.cluster,
        operator=context.operator,
        treasurer=context.treasurer,
        console=context.bars.console,
        folder=context.cluster.folder.parent,
    )
    settled = await settler.settle()
    await driver.drained(context.cluster)
    context.bars.advance(bar)
    return settled


async def _tighten_rules(context: StoryContext) -> None:
    """A household of this data spends less than the default's day: hold from lower on."""
    old = await context.operator.fraud_rule("account-day-sum", 1)
    changed = {k: v for k, v in old.items() if k not in ("rule", "version", "author")}
    changed["threshold"] = DAY_SUM_HELD_RIAL
    changed["effective_from"] = (context.acts[0].at - opening.BACK / 2).isoformat()
    await context.operator.put_fraud_rule("account-day-sum", 2, changed)


async def _shop(context: StoryContext, street: Street) -> Shopping:
    bar = context.bar("shopping", len(context.acts))

    def progress(done: int, at: datetime) -> None:
        context.bars.update(bar, completed=done, note=f"{at:%Y-%m-%d}")

    shopping = Shopping(
        street=street, acts=context.acts, set_clock=context.driver.advance, progress=progress
    )
    falls = int(len(context.acts) * GATEWAY_FALLS_AT)
    stands = min(falls + FALLING_ACTS, len(context.acts))
    await shopping.run(0, falls)
    async with asyncio.TaskGroup() as both:
        both.create_task(shopping.run(falls, stands))
        both.create_task(_kill_the_gateway(context, street))
    for share in REVIEWED_AT:  # a case falls due after three days: the reviewer comes by often
        comes = int(stands + (len(context.acts) - stands) * share)
        await shopping.run(stands, comes)
        await _review(context)
        stands = comes
    return shopping


async def _kill_the_gateway(context: StoryContext, street: Street) -> None:
    """Under load: kill -9, start again, and ask once more for what was answered before."""
    await asyncio.sleep(0.2)
    street.stop_measuring = True
    await asyncio.to_thread(processes.kill, context.cluster, "gateway")
    await asyncio.to_thread(processes.start, context.cluster, "gateway")
    await asyncio.to_thread(processes.wait_ready, context.cluster, ["gateway"])
    answered = [n for n, s in street.log.sent.items() if s.answer is not None]
    for name in context.rng.sample(answered, min(AGAIN_AFTER_FALL, len(answered))):
        await street.again(name)
    street.stop_measuring = False
    context.bars.console.print("[yellow]the gateway was killed and started again under load[/]")


async def _send_again(context: StoryContext, street: Street, names: list[TillReference]) -> None:
    bar = context.bar("old requests sent again", len(names))
    room = asyncio.Semaphore(16)

    async def one(name: TillReference) -> None:
        async with room:
            await street.again(name)
        context.bars.advance(bar)

    async with asyncio.TaskGroup() as group:
        for name in names:
            group.create_task(one(name))


async def _review(context: StoryContext) -> None:
    """A reviewer decides most of what is open; the rest falls due."""
    await driver.drained(context.cluster)
    cases = [
        case async for case in every(lambda after: context.reviewer.cases(after, status="open"))
    ]
    for case in cases:
        point = context.rng.random()
        if point > 0.85:
            continue
        verdict = "release" if point < RELEASED_SHARE else "cancel"
        try:
            await context.reviewer.put_review_outcome(case["case_id"], verdict, note="demo")
        except PeyvandError as refused:  # it fell due before the reviewer came to it
            if getattr(refused, "code", "") != "past-due":
                raise


async def _let_time_pass(context: StoryContext, until: datetime) -> None:
    """Drain, jump ahead, let sweeps and messages finish."""
    dsn = context.cluster.servers.dsn("ledger", "ledger_owner")
    bar = context.bar("lag drained, due lots swept, messages sent", 3)
    await driver.drained(context.cluster)
    context.bars.advance(bar)
    await context.driver.advance(until)
    await asyncio.sleep(2)
    await driver.drained(context.cluster)
    await driver.until_none(lambda: recompute.lots_due(dsn))
    context.bars.advance(bar)
    await driver.until_none(lambda: _messages_under_way(context.cluster))
    await driver.drained(context.cluster)
    context.bars.advance(bar)


async def _messages_under_way(cluster: plan.Cluster) -> int:
    states = await messages.states(cluster)
    return sum(states.get(state, 0) for state in ("waiting", "queued", "sending"))


async def _figures(context: StoryContext, street: Street, shopping_s: float) -> dict[str, Any]:
    bar = context.bar("books recomputed", 2)
    books = await recompute.books(context.cluster.servers.dsn("ledger", "ledger_owner"))
    context.bars.advance(bar)
    counts = await recompute.topic_counts(
        context.cluster.servers.bootstrap, shards=context.cluster.shards
    )
    context.bars.advance(bar)
    message_figures = await messages.figures_of(context.cluster)
    return figures.figures(street.log, books, counts, message_figures, shopping_s=shopping_s)
