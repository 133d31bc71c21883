"""Leaves of earlier windows that a window's commands name, fetched by name or by number."""

from collections.abc import Iterable

from verifier.books import Book
from verifier.leaves import Leaf, LeafRefused, from_bytes
from verifier.log import BadChunk, unpack
from verifier.model.commands_value import Capture
from verifier.model.decode import Command, decode_command
from verifier.model.originals import Original, original_of
from verifier.names import Names

Known = tuple[Leaf, Command | None]


class Past:
    """Earlier leaves that the commands of one shard name."""

    def __init__(self, book: Book, shard: int, names: Names) -> None:
        self.book = book
        self.shard = shard
        self.names = names
        self._here: dict[str, Known] = {}  # names answered in this window so far
        self._fetched: dict[str, Known] = {}
        self._leaves: dict[int, Leaf] = {}

    def begin(self) -> None:
        """Begin a new window."""
        self._here.clear()
        self._fetched.clear()
        self._leaves.clear()

    async def look_up(self, targets: Iterable[str]) -> list[Known]:
        """Fetch the leaves behind names of earlier windows."""
        needed = {target: self.names.find(target) for target in set(targets)}
        await self.fetch(sequence for sequences in needed.values() for sequence in sequences)
        known: list[Known] = []
        for target, sequences in needed.items():
            for sequence in sequences:
                leaf = self._leaves.get(sequence)
                if leaf is None or all(row[0] != target for row in leaf.rows.get("names", ())):
                    continue
                self._fetched[target] = (leaf, decode_command(leaf.head[5]))
                known.append(self._fetched[target])
                break
        return known

    async def fetch(self, sequences: Iterable[int]) -> None:
        """Fetch these leaves, as far as they can be read."""
        needed = {sequence for sequence in sequences if sequence not in self._leaves}
        if not needed:
            return
        for first, packed in (await self.book.chunks_at(self.shard, needed)).items():
            try:
                raws = unpack(packed)
            except BadChunk:
                continue
            for sequence, raw in enumerate(raws, first):
                if sequence in needed:
                    try:
                        self._leaves[sequence] = from_bytes(raw)
                    except LeafRefused:
                        continue

    def leaf(self, sequence: int) -> Leaf | None:
        """A leaf fetched before."""
        return self._leaves.get(sequence)

    def answered(self, leaf: Leaf, command: Command | None) -> None:
        """Note a reviewed leaf of this window, which later ones may name."""
        for name, _ in leaf.rows.get("names", ()):
            self._here.setdefault(name, (leaf, command))

    def find(self, name: str) -> Original | None:
        """The posting behind a name now."""
        known = self._fetched.get(name) or self._here.get(name)
        if known is None:
            return None
        leaf, command = known
        hold = hold_of(leaf, command)
        return original_of(name, leaf, command, self.find(hold) if hold and hold != name else None)


def hold_of(leaf: Leaf, command: Command | None) -> str:
    """The name of the hold that a capture has spent; "" for none."""
    if command is None or not isinstance(command.body, Capture) or leaf.head[3] != "completed":
        return ""
    return command.body.original
