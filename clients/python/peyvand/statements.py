"""A printed statement and its data: the SHA-256 that both of them have."""

import hashlib
import json
from collections.abc import Sequence
from typing import Final

from peyvand.administration import Document

# What the digest is of. Fields that a later version of the API adds are not: old papers stay right.
_SEALED: Final = (
    *("window", "opened_at", "cut_at", "closed_at", "party"),
    *("title_fa", "title_en", "opening_rial", "claims_rial", "claims_reversed_rial"),
    *("dues_rial", "dues_reversed_rial", "fee_rial", "corrections_rial", "position_rial"),
    *("paid_rial", "closing_rial"),
)
_SEALED_OF_LINE: Final = (
    *("side", "counterparty", "title_fa", "title_en", "entries_count"),
    *("claims_rial", "reversed_rial", "fee_rial", "paid_rial", "own_discount_rial"),
    *("released_rial", "effect_rial"),
)
_SEALED_OF_DISPUTE: Final = (
    *("dispute", "window", "counterparty", "title_fa", "title_en"),
    *("correction_rial", "paid_rial", "effect_rial"),
)


def statement_sha256(pieces: Sequence[Document]) -> str:
    """The SHA-256 at the foot of a printed statement, of the JSON that was read; hexadecimal.

    pieces: what `party_statement` or `merchant_statement` gave, from the first piece to the last.
    Of them it is the fields above once, those of each line and of each dispute, as JSON in UTF-8
    with keys in order and no blanks. Raises ValueError where a piece is missing.
    """
    if not pieces or pieces[-1]["next"] is not None:
        raise ValueError("give all pieces of a statement: next of the last one is None")
    lines = [
        {name: line[name] for name in _SEALED_OF_LINE}
        for piece in pieces
        for line in piece["lines"]
    ]
    disputes = [{name: one[name] for name in _SEALED_OF_DISPUTE} for one in pieces[0]["disputes"]]
    whole = {name: pieces[0][name] for name in _SEALED}
    whole |= {"lines": lines, "disputes": disputes}
    text = json.dumps(whole, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()
