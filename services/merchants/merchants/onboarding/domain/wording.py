"""How amounts and shares stand in a text, Persian and English."""

from typing import Final

from contracts.text import digits_fa, number_fa

UNITS: Final = {  # what an integer answer counts
    "rial": ("ریال", "Rial"),
    "percent": ("درصد", "percent"),
    "branches": ("شعبه", "branches"),
    "customers": ("مشتری", "customers"),
    "purchases": ("خرید در سال", "purchases a year"),
}


def rial_fa(amount: int) -> str:
    """An amount of money in a Persian text."""
    return f"{number_fa(amount)} ریال"


def rial_en(amount: int) -> str:
    """An amount of money in an English text."""
    return f"{amount:,} Rial"


def percent_fa(share_bp: int) -> str:
    """Basis points as percent in a Persian text."""
    return f"{digits_fa(_percent(share_bp).replace('.', '٫'))} درصد"


def percent_en(share_bp: int) -> str:
    """Basis points as percent in an English text: 175 is 1.75 %."""
    return f"{_percent(share_bp)} %"


def _percent(share_bp: int) -> str:
    whole, rest = divmod(share_bp, 100)
    return f"{whole}.{rest:02d}".rstrip("0").rstrip(".") if rest else str(whole)
