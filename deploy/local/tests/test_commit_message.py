"""A commit that mends has a body: the hook, as git calls it."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
HOOK = ROOT / "deploy" / "local" / "commit_message.py"


def run_hook(folder: Path, message: str) -> subprocess.CompletedProcess[str]:
    path = folder / "COMMIT_EDITMSG"
    path.write_text(message, "utf-8")
    return subprocess.run(
        [sys.executable, str(HOOK), str(path)], capture_output=True, text=True, check=False
    )


@pytest.mark.parametrize(
    "message",
    [
        "ledger: fix a lot that expired twice\n",
        "kit: mended readiness\n\n# Please enter the commit message\n",
        "gateway: repairs the limit\n\nSigned-off-by: A <a@example>\n",
        "Revert ledger: a lot expires once",
    ],
)
def test_a_subject_that_mends_without_a_body_is_refused(tmp_path: Path, message: str) -> None:
    answer = run_hook(tmp_path, message)
    assert answer.returncode == 1
    assert "what went wrong, why" in answer.stderr


@pytest.mark.parametrize(
    "message",
    [
        "ledger: fix a lot that expired twice\n\nThe sweep read the date twice; a test of both.\n",
        "docs: the dialect of rules, with examples\n",
        "kit: prefixes of fixtures\n",  # fix within a word
        "",
    ],
)
def test_others_pass(tmp_path: Path, message: str) -> None:
    assert run_hook(tmp_path, message).returncode == 0


def test_git_asks_it_in_a_checkout(tmp_path: Path) -> None:
    """The hooks of the project's own settings, in a repository of one file."""
    program = Path(sys.executable).parent / "pre-commit"
    if not program.exists():
        pytest.skip("pre-commit is not in this environment")
    (tmp_path / "deploy" / "local").mkdir(parents=True)
    shutil.copy(HOOK, tmp_path / "deploy" / "local")
    shutil.copy(ROOT / ".pre-commit-config.yaml", tmp_path)
    (tmp_path / "Makefile").write_text("check:\n\t@true\n")

    def git(*words: str) -> subprocess.CompletedProcess[str]:
        own = ("-c", "user.name=A", "-c", "user.email=a@example.com")
        return subprocess.run(
            ["git", *own, *words], cwd=tmp_path, capture_output=True, text=True, check=False
        )

    assert git("init", "--quiet").returncode == 0
    subprocess.run([program, "install"], cwd=tmp_path, capture_output=True, check=True)
    git("add", "--all")
    refused = git("commit", "--message", "kit: fix a test")
    assert refused.returncode != 0
    assert "what went wrong" in refused.stderr
    taken = git("commit", "--message", "kit: fix a test", "--message", "It judged by seconds.")
    assert taken.returncode == 0, taken.stderr
    assert git("log", "--oneline").stdout.endswith("kit: fix a test\n")
