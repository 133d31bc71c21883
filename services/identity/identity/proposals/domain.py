"""Rules of proposals: who decides one, until when, and what became of it (decision 0044)."""

import re
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final

from kit.base import errors

# gives rights: two people once there are two who may
_GIVES_RIGHTS: Final = re.compile("/v1/(users|api-keys)/.*", re.DOTALL)


class Decision(StrEnum):
    """What was decided. EXPIRED: nobody did in time, and the same was proposed again since."""

    APPROVED = "approved"
    REJECTED = "rejected"
    WITHDRAWN = "withdrawn"
    EXPIRED = "expired"


class State(StrEnum):
    """Where a proposal stands. APPROVED: decided, and not carried out yet."""

    OPEN = "open"
    APPROVED = "approved"
    EXECUTED = "executed"
    REJECTED = "rejected"
    WITHDRAWN = "withdrawn"
    EXPIRED = "expired"


class OwnProposal(errors.Forbidden):
    """Nobody decides what he proposed himself."""

    code = "own-proposal"
    fa = "این پیشنهاد خود شماست؛ کس دیگری باید آن را تأیید یا رد کند."


class NotYours(errors.Forbidden):
    """Only the proposer withdraws."""

    code = "not-your-proposal"
    fa = "این پیشنهاد از آن کس دیگری است؛ به‌جای پس گرفتن، آن را رد کنید."


class RoleMissing(errors.Forbidden):
    """Whoever decides has the right that the write needs."""

    code = "role-missing"
    fa = "تصمیم دربارهٔ این پیشنهاد حقی می‌خواهد که شما ندارید؛ از دارندهٔ آن حق بخواهید."


class SecondFactorNeeded(errors.Forbidden):
    """The right is withheld until a second factor is shown."""

    code = "second-factor-needed"
    fa = "این کار عامل دوم می‌خواهد؛ آن را بسازید و با رمزش دوباره وارد شوید."


class ProposalDecided(errors.Conflict):
    """What was decided stays decided."""

    code = "proposal-decided"
    fa = "دربارهٔ این پیشنهاد تصمیم گرفته شده است؛ اگر لازم است درخواست را دوباره بفرستید."


class ProposalExpired(errors.Conflict):
    """The time to decide has ended."""

    code = "proposal-expired"
    fa = "مهلت این پیشنهاد گذشته است؛ درخواست را دوباره بفرستید."


class ProposerNotEntitled(errors.Conflict):
    """The proposer was stopped, or lost the right."""

    code = "proposer-not-entitled"
    fa = "پیشنهاددهنده دیگر این حق را ندارد؛ پیشنهاد را رد کنید."


@dataclass(frozen=True, slots=True)
class Write:
    """A request as it was sent. target: path and query. body: the very bytes."""

    method: str
    target: str
    content_type: str
    body: bytes


@dataclass(frozen=True, slots=True)
class Result:
    """What the service answered. body: None where the answer is not to be kept."""

    status: int
    body: bytes | None


@dataclass(frozen=True, slots=True)
class Proposal:
    """A write that waits for a second person, or what became of it.

    roles: whoever decides has one of them. decided_by: "" where the time ended.
    """

    proposal: str
    write: Write
    roles: tuple[str, ...]
    proposed_by: str
    proposed_at: datetime
    ends_at: datetime
    decision: Decision | None = None
    decided_by: str = ""
    decided_at: datetime | None = None
    reason: str = ""
    result: Result | None = None

    def state(self, now: datetime) -> State:
        """Where it stands at a time."""
        if self.result is not None:
            return State.EXECUTED
        if self.decision is None:
            return State.OPEN if now < self.ends_at else State.EXPIRED
        return State(self.decision.value)

    def is_entitled(self, roles: Collection[str]) -> bool:
        """Whether somebody with these roles has the right that the write needs."""
        return not set(self.roles).isdisjoint(roles)

    def check_open(self, now: datetime) -> None:
        """Raises ProposalExpired, ProposalDecided."""
        state = self.state(now)
        if state is State.EXPIRED:
            raise ProposalExpired("the time to decide has ended; send the request again")
        if state is not State.OPEN:
            raise ProposalDecided(f"it is {state.value}; send the request again if need be")


def gives_rights(target: str) -> bool:
    """Whether a write changes who may do what, so that the first person has nobody beside him."""
    return _GIVES_RIGHTS.fullmatch(target) is not None
