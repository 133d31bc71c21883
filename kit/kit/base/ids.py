"""Ids that people and jobs start with, and secrets."""

import secrets
from datetime import datetime


def uuid7(now: datetime) -> str:
    """Time-ordered id (RFC 9562, version 7) as text; now: aware, milliseconds count."""
    millis = int(now.timestamp() * 1000)
    bits = millis << 80 | secrets.randbits(80)
    bits = bits & ~(0xF << 76) | 0x7 << 76
    bits = bits & ~(0x3 << 62) | 0x2 << 62
    text = f"{bits:032x}"
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"


def secret(prefix: str = "") -> str:
    """A secret of 256 bits in URL-safe text; the prefix tells a finder what it opens."""
    return prefix + secrets.token_urlsafe(32)
