"""The provider's exchange: what it accepted, what reached a phone, and the faults it was told."""

import heapq
import itertools
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Any, Final

PART_RIAL: Final = 1_180
STATUS_AGE_MAX_S: Final = 48 * 3600.0
LOCAL_STATUS_AGE_MAX_S: Final = 12 * 3600.0


class Delivery(IntEnum):
    """The provider's states of a message."""

    QUEUED = 1
    SCHEDULED = 2
    AT_OPERATOR = 5
    FAILED = 6
    DELIVERED = 10
    UNDELIVERED = 11
    CANCELLED = 13
    BLOCKED = 14
    UNKNOWN = 100


STATUS_TEXTS: Final = {
    Delivery.QUEUED: "در صف ارسال",
    Delivery.SCHEDULED: "زمان‌بندی شده",
    Delivery.AT_OPERATOR: "ارسال شده به مخابرات",
    Delivery.FAILED: "خطا در ارسال پیام",
    Delivery.DELIVERED: "رسیده به گیرنده",
    Delivery.UNDELIVERED: "نرسیده به گیرنده",
    Delivery.CANCELLED: "لغو شده",
    Delivery.BLOCKED: "بلاک شده است",
    Delivery.UNKNOWN: "شناسه پیامک نامعتبر است",
}


@dataclass(slots=True)
class Message:
    """One message to one phone."""

    message_id: int
    local_id: str
    receptor: str
    text: str
    sender: str
    status: Delivery
    accepted_s: float
    cost_rial: int


@dataclass(slots=True, kw_only=True)
class Controls:
    """What a test may ask for. *_next: how many further calls of sms/send and sendarray.

    outcomes: final state by number; fail_status_next: answer so without accepting anything;
    hang_next: accept, then stay silent for hang_s; half_next: accept the first half, answer 409.
    dedupe False: forget local ids, to see that duplicates are counted.
    """

    outcomes: dict[str, int] = field(default_factory=dict[str, int])
    outcome: int = int(Delivery.DELIVERED)
    delivery_delay_s: float = 0.2
    fail_status: int = 409
    fail_next: int = 0
    hang_next: int = 0
    hang_s: float = 30.0
    half_next: int = 0
    callbacks: bool = True
    callback_url: str = ""
    dedupe: bool = True


@dataclass(slots=True, kw_only=True)
class Counters:
    """calls: of sending; received: messages in them; repeated: met by local id, not sent again.

    duplicates: the same number, text and local id that reached the phone more than once.
    """

    calls: int = 0
    received: int = 0
    accepted: int = 0
    repeated: int = 0
    distinct_localids: int = 0
    delivered: int = 0
    undelivered: int = 0
    duplicates: int = 0
    callbacks_sent: int = 0
    callbacks_failed: int = 0
    callbacks_dropped: int = 0
    cost_rial: int = 0


class Exchange:
    """Everything the provider remembers: the newest `keep` messages, ids and phone contents."""

    def __init__(self, *, keep: int = 200_000, now: Callable[[], float] = time.time) -> None:
        self.controls = Controls()
        self.counters = Counters()
        self._keep = keep
        self._now = now
        # a provider started anew must not give out an id again
        self._ids = itertools.count(int(now() * 1000))
        self._messages: OrderedDict[int, Message] = OrderedDict()
        self._by_local: OrderedDict[str, int] = OrderedDict()
        self._on_phones: OrderedDict[int, None] = OrderedDict()
        self._due: list[tuple[float, int]] = []

    def accept(self, receptor: str, text: str, sender: str, local_id: str) -> Message:
        """Take a message; one whose local id is known already is not sent, its record returns."""
        self.counters.received += 1
        known = self._by_local.get(local_id) if local_id else None
        if known is not None and self.controls.dedupe and known in self._messages:
            self.counters.repeated += 1
            return self._messages[known]
        message = Message(
            message_id=next(self._ids),
            local_id=local_id,
            receptor=receptor,
            text=text,
            sender=sender or "10004346",
            status=Delivery.QUEUED,
            accepted_s=self._now(),
            cost_rial=parts(text) * PART_RIAL,
        )
        self.counters.accepted += 1
        self.counters.cost_rial += message.cost_rial
        self._messages[message.message_id] = message
        if local_id:
            self.counters.distinct_localids += local_id not in self._by_local
            self._by_local[local_id] = message.message_id
        heapq.heappush(
            self._due, (message.accepted_s + self.controls.delivery_delay_s, message.message_id)
        )
        self._forget_oldest()
        return message

    def deliver_due(self) -> list[Message]:
        """Bring what is due to its phone; the messages that became final now."""
        final: list[Message] = []
        now = self._now()
        while self._due and self._due[0][0] <= now:
            _, message_id = heapq.heappop(self._due)
            message = self._messages.get(message_id)
            if message is None:
                continue
            outcome = self.controls.outcomes.get(message.receptor, self.controls.outcome)
            message.status = Delivery(outcome)
            if message.status is Delivery.DELIVERED:
                self._reach_phone(message)
            else:
                self.counters.undelivered += 1
            final.append(message)
        return final

    def wait_s(self) -> float | None:
        """Seconds until something is due; None: nothing is on its way."""
        return max(0.0, self._due[0][0] - self._now()) if self._due else None

    def find(self, message_id: int) -> Message | None:
        """A message by the provider's id, not older than 48 h."""
        return self._fresh(self._messages.get(message_id), STATUS_AGE_MAX_S)

    def find_local(self, local_id: str) -> Message | None:
        """A message by the sender's own id, not older than 12 h."""
        known = self._by_local.get(local_id)
        message = self._messages.get(known) if known is not None else None
        return self._fresh(message, LOCAL_STATUS_AGE_MAX_S)

    def phone(self, number: str, *, limit: int = 50) -> list[Message]:
        """What reached a phone, newest first."""
        reached = (
            message
            for message in reversed(self._messages.values())
            if message.receptor == number and message.status is Delivery.DELIVERED
        )
        return list(itertools.islice(reached, limit))

    def newest(self, *, limit: int) -> list[Message]:
        """The newest messages, newest first."""
        return list(itertools.islice(reversed(self._messages.values()), limit))

    def change(self, wished: dict[str, Any]) -> None:
        """Set controls by name. Raises ValueError on an unknown one or another type."""
        for name, value in wished.items():
            if not hasattr(self.controls, name):
                raise ValueError(f"no control is called {name}")
            present: object = getattr(self.controls, name)
            expected = (int, float) if isinstance(present, float) else type(present)
            if not isinstance(value, expected):
                raise ValueError(f"{name} is like {present!r}")
        for name, value in wished.items():
            setattr(self.controls, name, value)

    def take(self, control: str) -> bool:
        """Whether a *_next control applies to this call; counts it down."""
        left = getattr(self.controls, control)
        if left > 0:
            setattr(self.controls, control, left - 1)
        return left > 0

    def _fresh(self, message: Message | None, age_max_s: float) -> Message | None:
        if message is None or self._now() - message.accepted_s > age_max_s:
            return None
        return message

    def _reach_phone(self, message: Message) -> None:
        self.counters.delivered += 1
        print_ = hash((message.receptor, message.text, message.local_id))
        if message.local_id and print_ in self._on_phones:
            self.counters.duplicates += 1
        self._on_phones[print_] = None

    def _forget_oldest(self) -> None:
        for kept in (self._messages, self._by_local, self._on_phones):
            while len(kept) > self._keep:
                kept.popitem(last=False)


def parts(text: str) -> int:
    """How many SMS a text takes; anything beyond ASCII makes it UCS-2."""
    if text.isascii():
        return 1 if len(text) <= 160 else -(-len(text) // 153)
    units = len(text.encode("utf-16-le")) // 2
    return 1 if units <= 70 else -(-units // 67)
