"""Which program writes and reads which topic: `python -m contracts.access` writes the page of it.

`python -m contracts.access --commands` prints the ACLs as lines of Kafka's own tool.
"""

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from contracts import topics
from contracts.topics import ROOMS, TOPICS, Topic

TARGET: Final = Path(__file__).parents[2] / "docs" / "guides" / "kafka-access.md"
PRINCIPAL: Final = "User:{}"  # of a user of SCRAM
_TOOL: Final = 'kafka-acls.sh --bootstrap-server "$BOOTSTRAP" --command-config "$ADMIN" --add'

_HEAD: Final = """# Who writes and reads which topic

Generated from `contracts/contracts/topics.py` by `make contracts`; a test compares it, and the
table with the code of every room. w: writes, r: reads.

Each room is a principal of its own on the brokers, `User:<room>`, by its user of SCRAM
(`PEYVAND_KAFKA_LOGIN`). On the brokers an authorizer is set, `allow.everyone.if.no.acl.found` is
`false`, and `super.users` has the brokers' own principal and whoever makes the topics.
`platform.clock` belongs to sandboxes, where all may do all; where there is none, nobody needs it.
What these rights leave open: [0031](../decisions/0031-locks-inside-the-fence.md).
"""


def writers(topic: Topic) -> set[str]:
    """Rooms that write a topic."""
    return {topic.owner, *topic.producers} & set(ROOMS)


def readers(topic: Topic) -> set[str]:
    """Rooms that read a topic."""
    return set(topic.consumers)


def commands() -> list[str]:
    """The ACLs, a line each: least rights, nothing for a topic that nobody named."""
    lines: list[str] = []
    for room in ROOMS:
        who = f"--allow-principal {PRINCIPAL.format(room)}"
        for topic in TOPICS:
            rights = ["Write"] * (room in writers(topic)) + ["Read"] * (room in readers(topic))
            if rights:
                named = " ".join(f"--operation {right}" for right in (*rights, "Describe"))
                lines.append(f"{_TOOL} {who} {named} --topic {topic.name}")
        if any(room in readers(topic) for topic in TOPICS):
            group = f"--group {room} --resource-pattern-type prefixed"
            lines.append(f"{_TOOL} {who} --operation Read --operation Describe {group}")
    return lines


def page() -> str:
    """The whole page as Markdown."""
    return "\n".join([_HEAD, *_table(), "", "## As ACLs", "", "```sh", *commands(), "```"]) + "\n"


def _table() -> Iterator[str]:
    yield "| topic | " + " | ".join(ROOMS) + " |"
    yield "| --- |" + " --- |" * len(ROOMS)
    for topic in TOPICS:
        if topic is topics.PLATFORM_CLOCK:
            yield f"| `{topic.name}` (sandbox) |" + " r |" * len(ROOMS)
            continue
        cells = ["w" * (r in writers(topic)) + "r" * (r in readers(topic)) or "–" for r in ROOMS]
        yield f"| `{topic.name}` | " + " | ".join(cells) + " |"


if __name__ == "__main__":
    if "--commands" in sys.argv:
        print("\n".join(commands()))  # noqa: T201 - the output of the command
    else:
        TARGET.write_text(page(), "utf-8")
