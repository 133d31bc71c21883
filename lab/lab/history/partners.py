"""Who a file speaks of: merchants and members found in the platform, or taken in with --enrol."""

import itertools
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final

import msgspec

from lab.history.baskets import Baskets, Reference
from lab.history.problems import Code
from lab.history.rows import NUMBER_MAX
from lab.history.versions import Version, in_force, start_of
from peyvand import Invalid, Operator, member_import, operators
from peyvand.administration import Programme, Terms
from peyvand.transport import path_of

BEFORE: Final = timedelta(days=1)  # so long before the first purchase what is installed begins
VALIDITY_DAYS: Final = 730
EARN_POINTS: Final = 1
EARN_PER_RIAL: Final = 10_000
PRICE_RIAL: Final = 100
PRICE_POINTS: Final = 1
FEE_BP: Final = 150
BRANCH: Final = 1
SECTOR: Final = "imported"
FIRST_NUMBER: Final = 2  # party 1 is the network
PARTIES_TRIED_MAX: Final = 100_000
PAGE: Final = 200
_TAKEN: Final = "already-exists-differently"

Tick = Callable[[int], None]  # how many more are done


@dataclass(slots=True, kw_only=True)
class Enrolled:
    """What a run took in."""

    members: int = 0
    merchants: int = 0
    programmes: int = 0
    terms: int = 0


@dataclass(slots=True, kw_only=True)
class Partners:
    """The merchants of a file by its own text, and what had to be made for it.

    programmes, terms: the versions by which its purchases are to be booked.
    """

    operator: Operator
    enrol: bool
    tick: Tick
    numbers: dict[str, int] = field(default_factory=dict[str, int])
    parties: dict[str, int] = field(default_factory=dict[str, int])
    programmes: dict[str, list[Version]] = field(default_factory=dict[str, list[Version]])
    terms: list[Version] = field(default_factory=list[Version])
    enrolled: Enrolled = field(default_factory=Enrolled)

    async def resolve(self, baskets: Baskets) -> None:
        """Find everybody; take in the others, or leave them out."""
        merchants = baskets.merchants()
        if not merchants:
            return
        await self._merchants(baskets, merchants)
        baskets.own(self.parties)
        await self._programmes(baskets, merchants)
        await self._terms(min(first for _, first in merchants))
        await self._members(baskets)

    # ------------------------------------------------------------------------------ merchants

    async def _merchants(self, baskets: Baskets, merchants: Sequence[tuple[str, datetime]]) -> None:
        registered = await Registered.read(self.operator)
        texts = [text for text, _ in merchants]
        self.numbers = {t: n for t in texts if (n := registered.find(t)) is not None}
        self.parties = {text: registered.parties[n] for text, n in self.numbers.items()}
        self.tick(len(self.numbers))
        unknown = [text for text in texts if text not in self.numbers]
        if not self.enrol:
            baskets.leave_out_merchants(unknown, Code.UNKNOWN_MERCHANT)
            self.tick(len(unknown))
            return
        for text, number in zip(unknown, registered.free(texts), strict=False):
            await self._register(text, number)
            self.numbers[text] = number
            self.enrolled.merchants += 1
            self.tick(1)

    async def _register(self, text: str, number: int) -> None:
        titles = {"title_fa": text, "title_en": text}
        party = self.parties[text] = await self._party(number, titles)
        fields = {"party": party, "sector": SECTOR, "reference": text, **titles}
        await self.operator.put_merchant(number, fields)
        branch = {"title_fa": "شعبهٔ ۱", "title_en": "Branch 1"}
        await self.operator.put_branch(number, BRANCH, branch)

    async def _party(self, first: int, titles: Mapping[str, str]) -> int:
        """A party so called: of the merchant's own number, or the next that is free."""
        for number in range(first, first + PARTIES_TRIED_MAX):
            party = number if number <= NUMBER_MAX else number - NUMBER_MAX - 1 + FIRST_NUMBER
            try:
                await self.operator.put_party(party, titles)
            except Invalid as taken:
                if taken.code != _TAKEN:
                    raise
            else:
                return party
        raise ValueError(f"no number is free for a party from {first} on")

    # --------------------------------------------------------------------- programmes and terms

    async def _programmes(
        self, baskets: Baskets, merchants: Sequence[tuple[str, datetime]]
    ) -> None:
        start = min(first for _, first in merchants) - BEFORE
        without: list[str] = []
        for text, first in merchants:
            number = self.numbers.get(text)
            if number is None:
                continue
            versions = await self._versions("merchants", number, "programmes")
            self.programmes[text] = [Version.of(one) for one in versions]
            if not self.enrol:
                without += [] if versions else [text]
            elif in_force(self.programmes[text], first) is None:
                await self._programme(text, number, len(versions) + 1, start)
            self.tick(1)
        baskets.leave_out_merchants(without, Code.NO_PROGRAMME)

    async def _programme(self, text: str, number: int, version: int, start: datetime) -> None:
        fresh = Programme(
            effective_from=start,
            title_fa=f"باشگاه {text}",
            title_en=f"{text} club",
            earn_points=EARN_POINTS,
            earn_per_rial=EARN_PER_RIAL,
            validity_days=VALIDITY_DAYS,
            backdated=True,
        )
        published = await self.operator.put_programme(number, version, fresh)
        self.programmes[text].append(Version.of(published))
        self.enrolled.programmes += 1

    async def _terms(self, first: datetime) -> None:
        """A settlement price from before the first purchase: the platform's earliest, if any."""
        versions = await self._versions("terms")
        self.terms = [Version.of(one) for one in versions]
        if not self.enrol or in_force(self.terms, first) is not None:
            return
        earliest: dict[str, Any] = min(versions, key=start_of, default=dict[str, Any]())
        fresh = Terms(
            effective_from=first - BEFORE,
            price_rial=earliest.get("price_rial", PRICE_RIAL),
            price_points=earliest.get("price_points", PRICE_POINTS),
            fee_bp=earliest.get("fee_bp", FEE_BP),
            backdated=True,
        )
        published = await self.operator.put_terms(len(versions) + 1, fresh)
        self.terms.append(Version.of(published))
        self.enrolled.terms += 1

    async def _versions(self, *of: str | int) -> list[dict[str, Any]]:
        listing = operators.every(
            lambda after: self.operator.page(path_of(*of, after=after or 0, limit=PAGE))
        )
        return [version async for version in listing]

    # -------------------------------------------------------------------------------- members

    async def _members(self, baskets: Baskets) -> None:
        """Enrol whoever is no member yet, or only ask who is none; the others are left out."""
        done = 0

        def tell(lines: int) -> None:
            nonlocal done
            self.tick(lines - done)
            done = lines

        report = await member_import.import_members(
            self.operator, _enrolments(baskets.members()), progress=tell, check=not self.enrol
        )
        self.enrolled.members = report.enrolled
        bad = {line.line for line in report.bad}
        unknown = [one for number, one in enumerate(baskets.members(), 1) if number in bad]
        baskets.leave_out_members(unknown, Code.UNKNOWN_MEMBER)


@dataclass(frozen=True, slots=True)
class Registered:
    """Every merchant of the platform. parties: which each belongs to."""

    parties: dict[int, int]
    references: dict[str, int]

    @classmethod
    async def read(cls, operator: Operator) -> "Registered":
        parties: dict[int, int] = {}
        references: dict[str, int] = {}
        async for merchant in operators.every(operator.merchants):
            parties[merchant["merchant"]] = merchant["party"]
            if merchant.get("reference"):
                references[merchant["reference"]] = merchant["merchant"]
        return cls(parties, references)

    def find(self, text: str) -> int | None:
        """The merchant so called: by its own reference, else by its number."""
        number = int(text) if text.isascii() and text.isdigit() else 0
        return self.references.get(text, number if number in self.parties else None)

    def free(self, texts: Iterable[str]) -> Iterator[int]:
        """Numbers after the highest, then those below it that were passed over.

        None is a text of the file, which would mean another merchant.
        """
        named = {int(text) for text in texts if text.isascii() and text.isdigit()}
        taken = named.union(self.parties)
        highest = max(self.parties, default=FIRST_NUMBER - 1)
        numbers = itertools.chain(range(highest + 1, NUMBER_MAX + 1), range(FIRST_NUMBER, highest))
        return (number for number in numbers if number not in taken)


def _enrolments(references: Iterator[Reference]) -> Iterator[member_import.Numbered]:
    for number, reference in enumerate(references, 1):
        enrolment = {
            "external": reference.text,
            "party": reference.party,
            "consents": {"terms": True},
        }
        yield number, msgspec.json.encode(enrolment)
