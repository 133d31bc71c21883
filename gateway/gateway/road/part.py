"""The road: what tills, online shops and imports send, and the replies to it."""

from gateway.road import jobs
from gateway.road.consumer import RepliesFeed
from gateway.road.usecases.sending import road_of
from kit.room import Part, Resources


def part(opened: Resources) -> Part:
    """Replies of this instance's partition; the routes are plain ASGI, in `gateway.routing`."""
    road = opened.shared(road_of)
    replies = RepliesFeed(road.settings, road.pending_replies, road.readiness)
    return Part(name="road", tasks=(replies.run,), jobs=jobs.jobs(road))
