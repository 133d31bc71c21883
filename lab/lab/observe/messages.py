"""What became of messages to members: as notify has it, and as the simulated provider counts."""

import httpx

from cluster import connections, plan
from lab.observe.figures import Messages


async def states(cluster: plan.Cluster) -> dict[str, int]:
    """How many messages of the whole cluster are in each state."""
    db = await connections.connect(cluster.servers.dsn("notify", "notify_owner"))
    try:
        rows = await db.fetch("select state, count(*) as n from messages group by state")
        return {row["state"]: row["n"] for row in rows}
    finally:
        await db.close()


async def figures_of(cluster: plan.Cluster) -> Messages:
    """The figures of the report: notify's, whatever the simulated provider remembers.

    Only whether a message was sent to anybody twice is the provider's to say, since its own start.
    """
    async with httpx.AsyncClient(base_url=cluster.url(plan.SIMULATOR)) as provider:
        counters = (await provider.get("/counters")).json()
    counted = await states(cluster)
    return Messages(
        queued=sum(counted.values()),
        delivered=counted.get("delivered", 0),
        duplicates=counters["duplicates"],
    )
