"""Statements of parties by settlement window, and the reconciliation of windows."""

from kit.room import Part, Resources
from merchants.statements.api import statements


def part(_: Resources) -> Part:
    """Statements of parties by settlement window, and the reconciliation of windows."""
    return Part(name="statements", routes=(statements.router,))
