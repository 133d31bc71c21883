"""Names are the field's own words: docs/glossary.md, held over modules, classes and functions."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

from .sources import ROOT, parsed

# Words that tell nothing: no name is made of these alone.
NOTHING: Final = {
    *("said", "told", "heard", "shown", "asked", "found", "made", "given"),
    *("wanted", "worked", "further", "work", "what"),
}
# Words of no name in any room, and what is meant.
WORDS: Final = {"house": "platform, local cluster", "verdict": "screening decision, outcome"}
# Names that were, by room: old() a function, old.py a module, .old a field, else any but a field.
OLD: Final = {
    "kit": {
        "letters.py": "dead_letters",
        "local.py": "local_tables",
        "mended.py": "aiokafka_patches",
        "Numbers": "StreamSequences",
        "Lane": "source_partition",
        ".lane": "source_partition",
        "patient": "batching",
        ".patient": "batching",
        "facts_missing": "dependencies_missing",
        "Room": "ServiceSettings",
        "Main": "Service",
        "Parts": "Resources",
        "App": "Wiring",
    },
    "contracts": {
        "Family": "NameKind",
        "follow()": "derive_id",
        "Spend": "RedemptionTerms",
        "Parcel": "TransferredLot",
        "Standing": "AccountStatus",
        ".awaits": "pending_event",
        ".quiet": "silent",
        "TickClock": "AdvanceClock",
        "TakeBackValue": "RevokeIssue",
        ".what": "movement",
    },
    "gateway": {
        "front.py": "routing",
        "Passing": "ReverseProxy",
        "Passage": "ProxyRoute",
        "Guard": "Readiness",
        "guard.py": "readiness",
        "Waiting": "PendingReplies",
        "Ended": "HttpResult",
        "Stamp": "Resolution",
        "Edition": "EffectiveVersion",
        "Found": "ResolvedIdentifier",
        "shown()": "resolve_identifier",
    },
    "ledger": {
        "Said": "Effects",
        "Draft": "AccountDraft",
        "Book": "BatchState",
        "Decision": "Posting",
        "say()": "apply_rule",
        "no()": "decline",
        "standings.py": "account_status",
        "life.py": "lot_maintenance",
        "undo.py": "refunds",
        "value.py": "issues",
        "pending.py": "reviews",
        "needs.py": "prefetch",
        "Want": "Demand",
        "let_go()": "release",
        "Member": "AccountState",
        "What": "LotMovement",
        "Row": "LotMovement",
        "Original": "PriorPosting",
        "solar.py": "jalali",
        "vintages.py": "issue_cohorts",
        "crossing.py": "chart_transfers",
        "read_house.py": "registry_read",
        "write_house.py": "registry_write",
        "holding.py": "reservations",
        "seal.py": "log_append",
    },
    "fraud": {
        "Desk": "ScreeningState",
        "Sighting": "NameSeen",
        "standing_no()": "unconditional_declines",
        "passage": "replay_passthrough",
        "lapse()": "expire_case",
    },
    "campaigns": {
        "Shelf": "RuleCache",
        "Then": "CapPolicy",
        "Given": "Effect",
        "take_count()": "reserve_first_purchase",
    },
    "merchants": {
        "partners.py": "parties",
        "tallies.py": "daily_totals",
        "words.py": "text, crypto",
        "Vault": "Keys",
    },
    "members": {"Seat": "AccountBinding", "words.py": "text, crypto", "Vault": "Keys"},
    "identity": {},
    "notify": {
        "lane.py": "sms_queue",
        "Asker": "DeliveryPoller",
        "Desk": "ReceiptBuffer",
        "parts()": "segments",
        ".parts": "segments",
        "Written": "QueuedMessage",
    },
    "sdk": {"words.py": "models", "drafts.py": "requests", "Name": "TillReference"},
    "verifier": {
        "further.py": "commands_value",
        "work.py": "computation",
        "hearing.py": "decode",
        "past.py": "history_lookup",
        "wanted.py": "expected_rows",
        "packing.py": "row_bytes",
    },
    "local": {},
    "tests": {
        f"{name}.py": "what it sets up"
        for name in (
            *("desk", "shelf", "town", "office", "bazaar", "quarter", "caravan"),
            *("dying", "worked"),
        )
    },
}
PLACES: Final = {
    "kit": ("kit/kit",),
    "contracts": ("contracts/contracts",),
    "gateway": ("gateway/gateway",),
    "sdk": ("clients/python/peyvand",),
    "verifier": ("clients/verifier/verifier",),
    "local": ("deploy", "lab"),
    "tests": ("tests", "*/tests", "clients/*/tests", "services/*/tests", "deploy/*/tests"),
}
# What the rooms have still to rename. An entry whose name is gone must go, too.
LEFT: Final[dict[str, set[str]]] = {}


def words(name: str) -> list[str]:
    """The words of a name: of HoldValue and hold_value alike hold, value."""
    apart = re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", name)
    return [word for word in apart.lower().split("_") if word]


def files(room: str) -> Iterator[Path]:
    for pattern in PLACES.get(room, (f"services/{room}/{room}",)):
        for folder in sorted(ROOT.glob(pattern)):
            for path in sorted(folder.rglob("*.py")):
                if room == "tests" or "tests" not in path.relative_to(ROOT).parts:
                    yield path


def names(path: Path) -> Iterator[str]:
    """Names that a file brings: Class, function(), .field, and module.py."""
    own = path.parent if path.name == "__init__.py" else path
    yield f"{own.stem}.py"
    yield from defined(parsed(path))


def defined(block: ast.AST) -> Iterator[str]:
    """Names defined in a block, at any depth; expressions define none."""
    for node in ast.iter_child_nodes(block):
        match node:
            case ast.ClassDef():
                yield node.name
            case ast.FunctionDef() | ast.AsyncFunctionDef():
                yield f"{node.name}()"
            case ast.AnnAssign(target=ast.Name(id=name)) if isinstance(block, ast.ClassDef):
                yield f".{name}"
            case _:
                pass
        if isinstance(node, ast.stmt | ast.excepthandler | ast.match_case):
            yield from defined(node)


def wrong(room: str, name: str) -> bool:
    """Whether a name is an old one, has a word of none's, or is made of words that tell nothing."""
    plain = re.sub(r"\(\)|\.py$|^\.", "", name).strip("_")
    spelled = name.replace(name.strip("._()"), plain) if name.endswith(".py") else name
    old = OLD[room]
    if any(form in old for form in (spelled, re.sub(r"^_+", "", name))):
        return True
    if room == "tests" or name.startswith("."):
        return False
    parts = words(plain)
    if plain in old or (parts and set(parts) <= NOTHING):
        return True
    if room == "fraud" and {"hold", "held", "holds"} & set(parts):
        return True
    if name[0].isupper() and {"door", "doors"} & set(parts):
        return True
    return bool(WORDS.keys() & set(parts))


@pytest.mark.parametrize("room", sorted(OLD))
def test_names_are_the_fields_own_words(room: str) -> None:
    left = {name for path in files(room) for name in names(path) if wrong(room, name)}
    assert not left, f"docs/glossary.md has a better word for: {sorted(left)}"


def test_the_measure_sees_what_it_is_for() -> None:
    for room, name in (
        *(("ledger", "Said"), ("ledger", "say()"), ("ledger", "_say()"), ("ledger", "undo.py")),
        *(("contracts", ".awaits"), ("kit", "HouseClock"), ("gateway", "_shown()")),
        *(("fraud", "hold_earning()"), ("sdk", "what_heard()"), ("notify", "told()")),
        *(("verifier", "work.py"), ("kit", "HttpDoor"), ("tests", "bazaar.py")),
    ):
        assert wrong(room, name), (room, name)
    for room, name in (
        *(("ledger", "HoldValue"), ("ledger", "hold()"), ("gateway", "say()"), ("kit", "doors.py")),
        *(("campaigns", "Decision"), ("ledger", "found_lots()"), ("tests", "worked_out()")),
    ):
        assert not wrong(room, name), (room, name)
