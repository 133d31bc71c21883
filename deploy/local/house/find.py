"""One transaction by its name, through the rooms: its answer, its booking, and what logs say."""

import re
from collections.abc import Sequence
from typing import Any, Final

import peyvand
from house import logs, plan

_NAME: Final = re.compile(r"(?:(\d+)\.)?(?:t\.)?(\d+\.\d+\.\d+)")


def ids(text: str, shards: int) -> list[str]:
    """The ids that a text may mean: itself, or a till's name (3003.1.2) in every shard."""
    found = _NAME.fullmatch(text.strip())
    if found is None or found[1] is not None:
        return [text.strip()]
    return [f"{shard}.t.{found[2]}" for shard in range(shards)]


async def find(home: plan.House, text: str) -> dict[str, Any]:
    """What every room has of a transaction; empty parts where nobody has anything."""
    key = home.credentials.operator_key("operator")
    options = peyvand.Options(retry=peyvand.Retry(attempts_max=1))
    found: dict[str, Any] = {"asked": text, "transactions": [], "unreachable": ""}
    try:
        async with peyvand.Operator(home.url(plan.GATEWAY), key, options=options) as operator:
            for one in ids(text, home.shards):
                try:
                    found["transactions"].append(await operator.booking(one))
                except (peyvand.NotFound, peyvand.Invalid):
                    continue
    except peyvand.PeyvandError as away:
        found["unreachable"] = str(away)
    found["logs"] = [f"{name}: {line}" for name, line in _lines(home, text)]
    return found


def _lines(home: plan.House, text: str) -> Sequence[tuple[str, str]]:
    """Rooms write the id; a name is a part of every id it may have."""
    wanted = f".t.{text.strip()}" if len(ids(text, home.shards)) > 1 else text.strip()
    whole = re.compile(re.escape(wanted) + r"(?![0-9])")
    lines = logs.search(home.folder, wanted)
    return [(name, line) for name, line in lines if whole.search(line)]
