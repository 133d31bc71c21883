"""Rules of identifiers: numbers with check digits, QR texts, bindings in time, blocks."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from msgspec import structs

from contracts import members as contract
from contracts.keys import Ring
from contracts.members import Binding, Identifier, IdentifierKind
from kit.base import errors
from members.people.domain import AccountBinding

CARD_BODY_DIGITS: Final = 9  # after the issuer's six and before the check digit
QR_PREFIX: Final = "PV1"
REBINDING_S: Final = contract.REBINDING_DELAY_S + contract.FUTURE_SKEW_S


class Taken(errors.Conflict):
    """An identifier that means somebody else."""

    code = "identifier-taken"
    fa = "این شناسه از آنِ عضو دیگری است."


class TooSoon(errors.Invalid):
    """A re-binding that some retry on its way would not see."""

    code = "binding-too-soon"
    fa = "زمان اجرای انتساب تازه باید دست‌کم ۱۸۰ ثانیه پس از اکنون و پس از انتساب پیشین باشد."


class NotOfAccount(errors.Invalid):
    """A member who does not share that account."""

    code = "member-not-of-account"
    fa = "این عضو از آنِ این حساب نیست."


class TooManyBindings(errors.Conflict):
    """An identifier that has changed hands as often as it may."""

    code = "too-many-bindings"
    fa = "این شناسه بیش از اندازه دست‌به‌دست شده است؛ شناسهٔ تازه‌ای صادر کنید."


@dataclass(frozen=True, slots=True)
class Fresh:
    """An identifier about to be issued. sealed: its text, where it must be shown again."""

    identifier: Identifier
    sealed: bytes | None = None


@dataclass(frozen=True, slots=True)
class Mark:
    """An identifier as presented: kind, canonical text, digests, of the newest key first."""

    kind: IdentifierKind
    text: str
    digests: tuple[str, ...]

    @property
    def digest(self) -> str:
        """The one under which it is issued now; an earlier one may be known."""
        return self.digests[0]


@dataclass(frozen=True, slots=True)
class Rebinding:
    """A requested change of the holder, under the caller's id."""

    binding_id: uuid.UUID
    member: int
    account: int
    from_at: datetime


def mark(keys: Ring, kind: IdentifierKind, text: str, *, party: int = 0) -> Mark:
    """An identifier presented in any spelling. keys: of identifiers. Raises ValueError.

    party: whose reference it is, where it is one.
    """
    canonical = contract.canonical(kind, text)
    return Mark(kind, canonical, contract.digests(keys, kind, canonical, party=party))


def new_identifier(
    identifier_id: str, presented: Mark, *, binding: AccountBinding, now: datetime
) -> Identifier:
    """A new identifier with this binding from now on, and at all earlier times."""
    first = Binding(
        from_at=now, member=binding.member, account=binding.account, shard=binding.shard
    )
    return Identifier(
        identifier_id=identifier_id,
        version=1,
        digest=presented.digest,
        kind=presented.kind,
        last4="" if presented.kind is IdentifierKind.EXTERNAL else presented.text[-4:],
        bindings=(first,),
    )


def card_number(prefix: str, body: int) -> str:
    """16 digits: the issuer's six, body padded to nine, and the check digit (ISO/IEC 7812)."""
    head = f"{prefix}{body:0{CARD_BODY_DIGITS}d}"
    return head + contract.luhn_check_digit(head)


def masked(last4: str) -> str:
    """A card number after the answer that gave it in full."""
    return f"************{last4}"


def rebind(
    identifier: Identifier, binding: AccountBinding, from_at: datetime, *, now: datetime
) -> Identifier:
    """The next version, with this binding from from_at on.

    from_at: 180 s after now at the earliest (60 s for the change to spread and 120 s of permitted
    future skew of tills), and after the last binding's. Raises TooSoon.
    Source: architecture 2 (account and shard).
    """
    earliest = now + timedelta(seconds=REBINDING_S)
    last = identifier.bindings[-1].from_at
    if from_at < earliest or from_at <= last:
        raise TooSoon(f"from_at must be at {max(earliest, last).isoformat()} or later")
    added = Binding(
        from_at=from_at, member=binding.member, account=binding.account, shard=binding.shard
    )
    return structs.replace(
        identifier,
        version=identifier.version + 1,
        bindings=(*identifier.bindings, added),
    )


def block(identifier: Identifier, *, now: datetime) -> Identifier:
    """The next version, blocked from now on; the same value if it already is."""
    if identifier.blocked_at is not None:
        return identifier
    return structs.replace(identifier, version=identifier.version + 1, blocked_at=now)


def held_by(identifiers: Sequence[Identifier], member: int, *, at: datetime) -> list[Identifier]:
    """Those that mean the member at a time."""
    return [i for i in identifiers if contract.as_of(i.bindings, at).member == member]
