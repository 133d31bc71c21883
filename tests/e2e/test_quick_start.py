"""The quick start, typed word for word into a shell."""

import asyncio
import os
import re
import subprocess

import pytest

from cluster import paths, plan

from .participants import Participants

pytestmark = [pytest.mark.platform, pytest.mark.NH21]
GUIDE = paths.PROJECT / "docs" / "guides" / "quick-start.md"
BLOCK = re.compile(r"^```(sh|text)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
MARK = "=== block"


def typed(cluster: plan.Cluster) -> tuple[list[str], list[tuple[int, str]]]:
    """What each block printed, and what the page says that it prints: (block, line)."""
    blocks: list[str] = []
    promised: list[tuple[int, str]] = []
    for kind, text in BLOCK.findall(GUIDE.read_text("utf-8")):
        if kind == "sh":
            blocks.append(text)
        else:
            promised += [(len(blocks), line) for line in text.splitlines()]
    script = "set -euo pipefail\n" + "".join(f"echo '{MARK}'\n{text}echo\n" for text in blocks)
    done = subprocess.run(
        ["bash", "-c", script],
        cwd=paths.PROJECT,
        env=os.environ | {"CLUSTER": str(cluster.folder)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout.split(f"{MARK}\n"), promised


async def test_the_quick_start_does_as_it_says(
    cluster: plan.Cluster, participants: Participants
) -> None:
    """participants: the network's terms stand already, and are the same."""
    printed, promised = await asyncio.to_thread(typed, cluster)
    missing = [
        f"block {block}: {line} not in\n{printed[block]}"
        for block, line in promised
        if line not in printed[block]
    ]
    assert promised
    assert not missing, "\n".join(missing)
