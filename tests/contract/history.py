"""What earlier commits held, for the documents that may only grow."""

import subprocess
from pathlib import Path
from typing import Final

PROJECT: Final = Path(__file__).parents[2]


def git(*arguments: str) -> str | None:
    """What git answers; None where it fails, as it does outside a clone."""
    ran = subprocess.run(
        ["git", *arguments], cwd=PROJECT, capture_output=True, text=True, check=False
    )
    return ran.stdout if ran.returncode == 0 else None


def whole() -> bool:
    """False outside a clone and in one of few commits: the last change of a file is unknown."""
    return git("rev-parse", "--is-shallow-repository") == "false\n"


def bases() -> set[str]:
    """The commits where this branch left main, here and at the origin."""
    found = [git("merge-base", "HEAD", main) for main in ("main", "origin/main")]
    return {base.strip() for base in found if base}


def changes(name: str, span: str = "HEAD") -> list[str]:
    """The commits of a span that changed a file, newest first."""
    return (git("log", "--format=%H", span, "--", name) or "").split()
