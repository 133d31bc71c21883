"""What the plain models share: the network's party, and how a model says no."""

NETWORK = 1


class No(Exception):
    """A business no, with its code."""
