"""The terminal simulator: a till that loses nothing and does nothing twice."""

from peyvand.terminal.journal import Durability, Journal, Written
from peyvand.terminal.till import Resent, Terminal, wall_clock

__all__ = ["Durability", "Journal", "Resent", "Terminal", "Written", "wall_clock"]
