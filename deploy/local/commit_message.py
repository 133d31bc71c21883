"""Hook of git: a commit that mends something says in its body what it mended.

Called with the file of the message, as git does; bare Python, nothing of the project.
"""

import re
import sys
from pathlib import Path

MENDS = re.compile(
    r"\b(mend(s|ed)?|fix(es|ed)?|repair(s|ed)?|correct(s|ed|ion)?|bugs?|regressions?|revert(s|ed)?)\b",
    re.IGNORECASE,
)
CUT = "# ------------------------ >8 ------------------------"  # below it: the diff of --verbose
MISSING = """the subject speaks of a fault, and the body does not say
  what went wrong, why, and how it is known to be right now"""


def main(message: str) -> int:
    """Exit status: 1 where the subject mends and there is no body."""
    kept = [line for line in message.partition(CUT)[0].splitlines() if not line.startswith("#")]
    subject, *body = [line for line in kept if line.strip()] or [""]
    trailers = re.compile(r"[A-Z][a-z]+(-[a-z]+)+: \S")  # Signed-off-by and its like
    reasons = [line for line in body if not trailers.match(line)]
    if MENDS.search(subject) and not reasons:
        sys.stderr.write(f"commit message: {MISSING}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]).read_text("utf-8")))
