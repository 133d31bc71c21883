"""What the ledger raises when the book would be wrong: never handled, the process stops."""


class InvariantBroken(Exception):
    """A rule of the book does not hold; nothing of the batch may be committed."""
