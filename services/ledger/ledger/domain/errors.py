"""What the ledger raises when a batch cannot be booked as it was decided."""


class InvariantBroken(Exception):
    """A rule of the book does not hold; nothing of the batch may be committed: never handled."""


class Unread(Exception):
    """A decision wants lots that were left in the database: the batch is read again with all."""
