"""The road: a screened transaction becomes a command with its awards."""

from functools import partial

from campaigns import settings
from campaigns.awards import api, consumer, jobs
from campaigns.awards.usecases import caches_of
from contracts import topics
from kit.room import ROAD, Job, Part, Resources
from kit.stream.consumer import Poison, Subscription


def part(opened: Resources) -> Part:
    """The road."""
    caches, database = opened.shared(caches_of), opened.database
    screened = Subscription(
        topic=topics.FRAUD_SCREENED,
        handle=partial(consumer.on_fraud_screened, caches=caches),
        poison=Poison.PASS,
        dependencies_missing=partial(
            consumer.dependencies_missing, caches=caches, database=database
        ),
        refuse=consumer.refuse,
    )
    prune = Job(
        name="prune-decisions",
        every_s=settings.PRUNE_EVERY_S,
        run=partial(jobs.prune_decisions, database, opened.clock),
    )
    return Part(name="awards", group=ROAD, routes=(api.router,), hears=(screened,), jobs=(prune,))
