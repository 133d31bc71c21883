"""What the ledger raises when a batch cannot be booked as it was decided."""


class InvariantBroken(Exception):
    """A rule of the book does not hold; nothing of the batch may be committed.

    kit.consumer halves the poll: the record that breaks the rule alone is refused, with an alarm,
    and nothing of it is booked. Where many in a row do, the process stops (decision 0017).
    """


class Unread(Exception):
    """A decision wants lots that were left in the database: the batch is read again with all."""
