"""Posting, readings and proofs: the whole ledger, as one part until its wings are apart."""

import logging

from kit.room import ROAD, Part, Resources
from ledger import api, consumer, jobs, settings
from ledger.clients import archive_of
from ledger.settings import Settings

log = logging.getLogger(__name__)


def part(opened: Resources) -> Part:
    """The ledger."""
    given: Settings = opened.settings
    ahead_max = None if given.sandbox else settings.CLOCK_AHEAD_MAX
    timed = jobs.jobs(opened.database, opened.clock, given)
    archive = opened.one(archive_of)
    if archive is not None and given.checkpoint_key_file:
        timed.append(jobs.publisher(opened.database, opened.clock, archive, given))
    else:
        log.warning("no checkpoints are published: set PEYVAND_CHECKPOINT_FOLDER and _KEY_FILE")
    return Part(
        name="posting",
        group=ROAD,
        routes=api.ROUTERS,
        hears=consumer.subscriptions(ahead_max, given.shards),
        jobs=timed,
    )
