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
    found = _NAME.fullmatch(text.strip())
    if found is None or found[1] is not None:
        return [text.strip()]
    return [f"{shard}.t.{found[2]}" for shard in range(shards)]


async def find(cluster: plan.Cluster, text: str) -> dict[str, Any]:
    """What every room has of a transaction; empty parts where nobody has anything."""
    key = cluster.credentials.operator_key("operator")
    options = peyvand.Options(retry=peyvand.Retry(attempts_max=1))
    found: dict[str, Any] = {"asked": text, "transactions": [], "unreachable": ""}
    try:
        async with peyvand.Operator(cluster.url(plan.GATEWAY), key, options=options) as operator:
            for one in ids(text, cluster.shards):
                try:
                    found["transactions"].append(await operator.booking(one))
                except (peyvand.NotFound, peyvand.Invalid):
                    continue
    except peyvand.PeyvandError as away:
        found["unreachable"] = str(away)
    found["logs"] = [f"{name}: {line}" for name, line in _lines(cluster, text)]
    return found


def _lines(cluster: plan.Cluster, text: str) -> Sequence[tuple[str, str]]:
    """Rooms write the id; a name is a part of every id it may have."""
    wanted = f".t.{text.strip()}" if len(ids(text, cluster.shards)) > 1 else text.strip()
    whole = re.compile(re.escape(wanted) + r"(?![0-9])")
    lines = logs.search(cluster.folder, wanted)
    return [(name, line) for name, line in lines if whole.search(line)]


def main(arguments: Sequence[str] | None = None) -> int:
    """One transaction by its id or a till's name (3003.1.2); 1 where no room has booked it."""
    parser = argparse.ArgumentParser(prog="python -m lab.observe.find", description=__doc__)
    parser.add_argument("name", help="3003.1.2, or an id")
    parser.add_argument(
        "--folder", type=Path, help="the cluster (default: $CLUSTER, else var/cluster)"
    )
    parser.add_argument("--json", action="store_true", help="one JSON document instead of text")
    given = parser.parse_args(arguments)
    try:
        cluster = reporting.existing((given.folder or paths.chosen_folder()).resolve())
    except ValueError as error:
        console.print(f"[red]failed[/red]: {error}", highlight=False, soft_wrap=True)
        return 1
    found = asyncio.run(find(cluster, given.name))
    if given.json:
        print(json.dumps(found, ensure_ascii=False, indent=1, default=str))
    else:
        _show(found)
    return 0 if found["transactions"] else 1


def _show(found: dict[str, Any]) -> None:
    for one in found["transactions"]:
        console.print_json(data=one, default=str)
    for line in found["logs"]:
        print(line)
    if found["unreachable"]:
        console.print(f"the gateway does not answer: {found['unreachable']}", markup=False)
    elif not found["transactions"]:
        console.print(f"no room has booked {found['asked']}", markup=False)


if __name__ == "__main__":
    sys.exit(main())
