"""Errors where a batch cannot be booked as decided, or a reading cannot be made."""

from collections.abc import Sequence

from contracts.text import digits_fa
from kit.base import errors


class OnManyShards(errors.Conflict):
    """An account number has value on several shards, each with its own sequences and moments."""

    code = "account-on-many-shards"

    def __init__(self, account: int, shards: Sequence[int]) -> None:
        listed = [str(shard) for shard in shards]
        super().__init__(
            f"account {account} has value on shards {', '.join(listed)}: name one with ?shard=;"
            " value on another shard than the account's own was sent there by mistake",
            shards=list(shards),
            fa=f"حساب {digits_fa(account)} در شاردهای {digits_fa(' و '.join(listed))} ارزش دارد؛"
            " یکی را با shard بگویید. ارزشِ بیرون از شارد خودِ حساب به اشتباه آنجا فرستاده شده است.",
        )


class InvariantBroken(Exception):
    """A rule of the book does not hold; nothing of the batch may be committed.

    kit.consumer halves the poll. A record that breaks the rule on its own is refused, with an
    alarm, and nothing of it is booked. Where many records in a row do, the process stops (decision
    0017).
    """


class Unread(Exception):
    """A decision needs lots that were not read: the batch is read again with all of them."""
