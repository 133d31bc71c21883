"""Lines of a command file as records of ledger.commands, the way its producers write them."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from contracts import envelope as envelopes
from contracts.envelope import Envelope
from contracts.ledger import AdvanceClock, Award, IssueValue, PostTransaction
from contracts.topics import LEDGER_COMMANDS
from contracts.value import CaptureHold, HoldValue, RedemptionTerms, SpendValue, VoidHold
from contracts.values import Channel, Kind, NameKind, Unit, name, till_name
from kit.stream import consumer
from kit.stream.consumer import Event
from lab.bench.ledger import workloads
from lab.bench.ledger.workloads import Command, Lot, Workload

SHARD: Final = 0
FIRST_TERMINAL: Final = 10_000_000
REPLY_PARTITION: Final = 0
# campaigns says the road's commands: its stream and numbers, and where the answer goes
_STREAM: Final = b"campaigns/campaigns-road:fraud.screened:%d/1/%d" % (SHARD, SHARD)
_EVENTS: Final = dict(LEDGER_COMMANDS.events)
_TYPES: Final[dict[type, str]] = {kind: text for text, kind in LEDGER_COMMANDS.events.items()}
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_BORN: Final = _EPOCH + timedelta(milliseconds=workloads.START_MS) - timedelta(days=1)


class Translator:
    """Records of one run in their order: offsets and stream numbers run on without a gap."""

    def __init__(self, workload: Workload, *, offset: int = 0, epoch: int = 1) -> None:
        """offset: where the topic goes on. epoch: of the tills that name the commands."""
        self._workload = workload
        self._epoch = epoch
        self._offset = offset
        self._held: dict[str, str] = {}  # id of a hold -> its name

    def events(self, commands: Sequence[Command]) -> list[Event]:
        """Commands as kit's consumer hands them over."""
        return [self._event(self.envelope(command)) for command in commands]

    def births(self, members: Sequence[tuple[int, tuple[Lot, ...]]]) -> list[Event]:
        """Members' first lots: a purchase each, with an award for each lot."""
        return [self._event(_birth(member, lots)) for member, lots in members]

    def others(self, messages: Sequence[Any]) -> list[Event]:
        """What the ledger says to itself, heard."""
        return [self._event(envelopes.decode(message.value, _EVENTS)) for message in messages]

    def _event(self, envelope: Envelope[Any]) -> Event:
        offset = self._offset
        self._offset += 1
        return consumer.event(
            LEDGER_COMMANDS,
            envelope,
            partition=SHARD,
            offset=offset,
            headers=(
                ("reply-topic", b"gateway.replies"),
                ("reply-partition", b"%d" % REPLY_PARTITION),
                ("correlation-id", b"%016x" % offset),
                ("stream", _STREAM),
                ("n", b"%d" % (offset + 1)),
            ),
        )

    def envelope(self, command: Command) -> Envelope[Any]:
        """One command as its producer says it."""
        body = self._body(command)
        at = time_of(command.at)
        return Envelope(
            id=_uuid(command.id),
            type=_TYPES[type(body)],
            key=str(_member(command)),
            occurred_at=at,
            accepted_at=at,
            fingerprint=envelopes.fingerprint_of(
                [command.kind, command.debit, command.credit, command.amount, command.hold]
            ),
            data=body,
        )

    def _body(self, command: Command) -> Any:
        named = self._name(command)
        match command.kind:
            case workloads.Kind.EARN:
                return self._earn(command, named)
            case workloads.Kind.SPEND:
                return SpendValue(
                    name=named,
                    account=command.debit,
                    member=command.debit,
                    acceptor=command.credit,
                    merchant=command.credit,
                    spend=RedemptionTerms(points=command.amount),
                )
            case workloads.Kind.HOLD:
                self._held[command.id] = named
                return HoldValue(
                    name=named,
                    account=command.debit,
                    member=command.debit,
                    acceptor=command.credit,
                    merchant=command.credit,
                    due_at=time_of(command.at) + timedelta(seconds=workloads.HOLD_S),
                    points=command.amount,
                )
            case workloads.Kind.CAPTURE:
                held = self._held[command.hold]
                return CaptureHold(
                    name=named, original=held, spend=RedemptionTerms(points=command.amount)
                )
            case workloads.Kind.VOID:
                return VoidHold(name=named, original=self._held[command.hold])
            case workloads.Kind.TICK:
                return AdvanceClock(name=name(NameKind.TICK, command.at // 60_000))

    def _name(self, command: Command) -> str:
        """Natural and local: each merchant has one till, whose numbers rise."""
        terminal = FIRST_TERMINAL + min(command.debit, command.credit)
        return till_name(terminal, self._epoch, command.i + 1)

    def _earn(self, command: Command, named: str) -> IssueValue:
        cost, expires_at = 0, None
        if self._workload is Workload.W7:
            lot = workloads.earned(command)
            cost, expires_at = lot.cost_rial, time_of(command.at) + timedelta(days=lot.days or 0)
        return IssueValue(
            name=named,
            account=command.credit,
            member=command.credit,
            unit=Unit.NETWORK_POINTS,
            amount=command.amount,
            cost_rial=cost,
            issuer=command.debit,
            funder=command.debit,
            rule="base",
            rule_version=1,
            expires_at=expires_at,
        )


def time_of(at_ms: int) -> datetime:
    """A line's time."""
    return _EPOCH + timedelta(milliseconds=at_ms)


def _member(command: Command) -> int:
    return max(command.debit, command.credit)


def _uuid(text: str) -> str:
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"


def _birth(member: int, lots: Sequence[Lot]) -> Envelope[Any]:
    issuer = 1 + member % workloads.MERCHANTS
    body = PostTransaction(
        name=till_name(FIRST_TERMINAL, 1, member),
        kind=Kind.PURCHASE,
        channel=Channel.TILL,
        merchant=issuer,
        acceptor=issuer,
        branch=1,
        terminal=FIRST_TERMINAL,
        account=member,
        member=member,
        awards=tuple(
            Award(
                line=0,
                unit=Unit.NETWORK_POINTS,
                amount=lot.points,
                cost_rial=lot.cost_rial,
                issuer=issuer,
                funder=issuer,
                rule=f"base-{number}",
                rule_version=1,
                expires_at=None if lot.days is None else _BORN + timedelta(days=lot.days + 1),
            )
            for number, lot in enumerate(lots)
        ),
    )
    return Envelope(
        id=envelopes.derive_id(body.name, "birth"),
        type=_TYPES[PostTransaction],
        key=str(member),
        occurred_at=_BORN,
        accepted_at=_BORN,
        fingerprint=envelopes.fingerprint_of([member]),
        data=body,
    )
