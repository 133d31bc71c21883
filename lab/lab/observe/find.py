"""One transaction by its name, through the rooms: its answer, its booking, and what logs say."""

import argparse
import asyncio
import json
import re
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from rich.console import Console

import peyvand
from cluster import logs, paths, plan, reporting

console = Console()
_NAME: Final = re.compile(r"(?:(\d+)\.)?(?:t\.)?(\d+\.\d+\.\d+)")


def ids(text: str, shards: int) -> list[str]:
    """The ids that a text may mean: itself, or a till's name (3003.1.2) in every shard."""
    match = _NAME.fullmatch(text.strip())
    if match is None or match[1] is not None:
        return [text.strip()]
    return [f"{shard}.t.{match[2]}" for shard in range(shards)]


async def find(cluster: plan.Cluster, text: str) -> dict[str, Any]:
    """What every room has of a transaction; empty parts where nobody has anything."""
    key = cluster.credentials.operator_key("operator")
    options = peyvand.Options(retry=peyvand.Retry(attempts_max=1))
    result: dict[str, Any] = {"asked": text, "transactions": [], "unreachable": ""}
    try:
        async with peyvand.Operator(cluster.url(plan.GATEWAY), key, options=options) as operator:
            for transaction_id in ids(text, cluster.shards):
                try:
                    result["transactions"].append(await operator.booking(transaction_id))
                except (peyvand.NotFound, peyvand.Invalid):
                    continue
    except peyvand.PeyvandError as away:
        result["unreachable"] = str(away)
    result["logs"] = [f"{name}: {line}" for name, line in _lines(cluster, text)]
    return result


def _lines(cluster: plan.Cluster, text: str) -> Sequence[tuple[str, str]]:
    """Rooms write the id; a name is a part of every id it may have."""
    needle = f".t.{text.strip()}" if len(ids(text, cluster.shards)) > 1 else text.strip()
    whole = re.compile(re.escape(needle) + r"(?![0-9])")
    lines = logs.search(cluster.folder, needle)
    return [(name, line) for name, line in lines if whole.search(line)]


def main(arguments: Sequence[str] | None = None) -> int:
    """One transaction by its id or a till's name (3003.1.2); 1 where no room has booked it."""
    parser = argparse.ArgumentParser(prog="python -m lab.observe.find", description=__doc__)
    parser.add_argument("name", help="3003.1.2, or an id")
    parser.add_argument(
        "--folder", type=Path, help="the cluster (default: $CLUSTER, else var/cluster)"
    )
    parser.add_argument("--json", action="store_true", help="one JSON document instead of text")
    options = parser.parse_args(arguments)
    try:
        cluster = reporting.existing((options.folder or paths.chosen_folder()).resolve())
    except ValueError as error:
        console.print(f"[red]failed[/red]: {error}", highlight=False, soft_wrap=True)
        return 1
    result = asyncio.run(find(cluster, options.name))
    if options.json:
        print(json.dumps(result, ensure_ascii=False, indent=1, default=str))
    else:
        _show(result)
    return 0 if result["transactions"] else 1


def _show(result: dict[str, Any]) -> None:
    for booking in result["transactions"]:
        console.print_json(data=booking, default=str)
    for line in result["logs"]:
        print(line)
    if result["unreachable"]:
        console.print(f"the gateway does not answer: {result['unreachable']}", markup=False)
    elif not result["transactions"]:
        console.print(f"no room has booked {result['asked']}", markup=False)


if __name__ == "__main__":
    sys.exit(main())
