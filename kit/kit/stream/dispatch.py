"""Which part of a consumer group gets which event; several may hear one topic, in their order."""

from collections.abc import Mapping, Sequence
from enum import Enum, auto
from typing import TYPE_CHECKING, Any

from kit.base import telemetry
from kit.base.telemetry import Metric
from kit.stream import dead_letters
from kit.stream.event import Event, Poison, Subscription, bare

if TYPE_CHECKING:
    from kit.base.db import Tx

Refused = Mapping[str, str]  # by part: why it does not get the event


class Way(Enum):
    """How a record that cannot be handled is set aside; each does less than the one before."""

    REFUSE = auto()
    REFUSE_AS_UNREADABLE = auto()
    SET_ASIDE = auto()


class Hearers:
    """The subscriptions of a group, in the order of its parts.

    topics, decoders: by topic's name; what any part reads is decoded once, for all.
    """

    def __init__(self, room: str, group: str, subscriptions: Sequence[Subscription]) -> None:
        self.subscriptions = tuple(subscriptions)
        self.topics = {s.topic.name: s.topic for s in subscriptions}
        self.decoders: dict[str, dict[str, type[Any]]] = {name: {} for name in self.topics}
        for one in subscriptions:
            self.decoders[one.topic.name] |= one.read_as
        self._room = room
        self._group = group
        self._at: Subscription | None = None

    def failing(self, event: Event) -> set[str]:
        """The part that was at work when the last attempt failed; without one, all that hear it."""
        if self._at is not None:
            return {self._at.part}
        return {one.part for one in self.subscriptions if one.topic.name == event.topic}

    async def hand_out(self, tx: "Tx", events: Sequence[Event], refused: Refused, way: Way) -> None:
        """Give every part its events; parts named in `refused` get none, but leave a dead letter.

        Raises what a handler raises; failing() then names its part.
        """
        self._at = None
        for subscription in self.subscriptions:
            mine = [event for event in events if subscription.takes(event)]
            if not mine:
                continue
            self._at = subscription
            if subscription.part in refused:
                for event in mine:
                    await self._refuse(tx, subscription, event, refused[subscription.part], way)
            else:
                await self._handle(tx, subscription, mine)
        self._at = None

    async def rehearse(self, tx: "Tx", events: Sequence[Event]) -> None:
        """As hand_out, for a transaction that is rolled back; failing() is not changed."""
        for subscription in self.subscriptions:
            mine = [event for event in events if subscription.takes(event)]
            if mine:
                await self._handle(tx, subscription, mine)

    async def _handle(self, tx: "Tx", subscription: Subscription, events: Sequence[Event]) -> None:
        readable: list[Event] = []
        for event in events:
            if event.error:
                await self._set_aside_unread(tx, subscription, event)
                if subscription.poison is Poison.DEAD_LETTER:
                    continue
            if event.expired:
                telemetry.count(Metric.EXPIRED_DROPPED, self._group)
                continue
            readable.append(event)
        if readable:
            await subscription.handle(tx, readable)

    async def _set_aside_unread(self, tx: "Tx", subscription: Subscription, event: Event) -> None:
        """A dead-letter copy and an alarm, once however many parts hear the topic."""
        first = next(one for one in self.subscriptions if one.topic.name == event.topic)
        if subscription is first:
            limit = None if subscription.poison is Poison.PASS else subscription.letters_max
            why = f"undecodable: {event.error}"
            await dead_letters.write(tx, self._room, self._group, event, why, limit=limit)

    async def _refuse(
        self, tx: "Tx", subscription: Subscription, event: Event, why: str, way: Way
    ) -> None:
        """A dead-letter copy that names the part, and an alarm; a refusal too, where it has one."""
        refuse = None if way is Way.SET_ASIDE else subscription.refuse
        limit = subscription.letters_max if refuse is None else None
        consumer = f"{self._group}/{subscription.part}" if subscription.part else self._group
        await dead_letters.write(tx, self._room, consumer, event, why, limit=limit)
        if refuse is not None:
            await refuse(tx, event if way is Way.REFUSE else bare(event, why), why)
