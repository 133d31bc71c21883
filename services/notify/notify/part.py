"""Messages to members: queued from what the ledger says, sent by SMS, followed to their end."""

from kit import clock
from kit.room import Part, Resources
from notify import api, consumer, jobs
from notify.api import door_of
from notify.clients import Provider
from notify.settings import Settings
from notify.usecases.lane import Lane
from notify.usecases.receipts import Asker


def part(opened: Resources) -> Part:
    """Messages. Raises ValueError for keys of contacts that do not read."""
    given: Settings = opened.settings
    door = opened.one(door_of)
    provider = Provider.of(given)
    lane = Lane(
        database=opened.database,
        provider=provider,
        clock=opened.clock,
        wall=clock.wall,
        ring=door.ring,
    )
    asker = Asker(database=opened.database, provider=provider, wall=clock.wall)
    return Part(
        name="messages",
        routes=(api.router, api.internal),
        open_paths=(api.RECEIPTS_PATH,),
        hears=(*consumer.outcomes(given), *consumer.state(given)),
        jobs=jobs.jobs(
            lane, asker, part_price_rial=given.sms_part_price_rial, support=given.support_phone
        ),
        tasks=(door.desk.run,),
        opened=(provider,),
    )
