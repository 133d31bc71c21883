"""Every door reads every spelling of a code, a mobile and a card alike, and takes what it shows.

One table of spellings is fed to every room's door as it stands in the program: what a till sends,
what an import brings, and what programmes and rules keep to compare it with (findings F3 to F9).
"""

from typing import Any

import msgspec
import pytest

from campaigns.awards import api as awards
from campaigns.rules.domain import conditions, tree
from contracts.keys import derive
from contracts.members import OF_IDENTIFIERS, IdentifierKind, canonical
from contracts.pos import Line
from gateway.road.domain import requests, shapes
from kit.base.errors import Problem
from lab.history import rows
from members.memberships import domain as memberships
from merchants.parties import api as partners
from merchants.programmes import api as programmes
from peyvand.files import csv_rows

CATEGORIES = {
    "لبنیات": (
        *("لبنیات", "لبنيات", "لبنىات", " لبنیات", "لبنیات ", "لبنیات\u200f", "\u200eلبنیات"),
        *("لب\u200cنیات", "لبـنیات", "\ufeffلبنیات", "\u061cلبنیات\u200b", "ﻟﺒﻨﯿﺎﺕ"),
    ),
    "کالا 12": ("كالا ۱۲", "کالا  ١٢", "کالا\u00a0१२", "\u202bکالا ۱۲\u202c", "کالا １２"),
    "A-17/3": ("A-17/3", "A-۱۷/۳", "Ａ-17/3", "A-١٧/٣\u200f"),
}
SPELLINGS = [(kept, text) for kept, texts in CATEGORIES.items() for text in texts]
MOBILES = (
    *("09953517329", "+989953517329", "00989953517329", "989953517329", "9953517329"),
    *("۰۹۹۵ ۳۵۱ ۷۳۲۹", "٠٩٩٥-٣٥١-٧٣٢٩", "0995\u200c351\u200c7329", "0995_351_7329"),
    *("0995ـ3517329", "\u202a+98 995 351 7329\u202c", "०९९५३५१७३२९", "(0995) 351.73.29"),
)
NO_MOBILES = (
    *("0912fff2153", "0912fff5237", "09129175dgf", "+98912ABC2938", "09123456789 x12"),
    *("09123456789;09121111111", "0912345678²", "09123456789#3", "021889944"),
)
CARD = "6037990000000006"
KEYS = (derive(b"k" * 32, OF_IDENTIFIERS),)
CARDS = (
    *(CARD, "6037 9900 0000 0006", "6037-9900-0000-0006", "6037_9900_0000_0006"),
    *("۶۰۳۷۹۹۰۰۰۰۰۰۰۰۰۶", "\u200e6037\u200c990000000006\u200f", "6037ـ990000000006"),
)
AT = "2026-03-21T10:00:00Z"


def line_of(category: str) -> dict[str, Any]:
    return {"line": 1, "amount_rial": 100, "sku": category, "category": category}


def at_the_till(category: str, **shown: str) -> shapes.Transaction:
    asked: dict[str, Any] = {"terminal": 7, "epoch": 1, "sequence": 1, "kind": "purchase"}
    asked |= {"occurred_at": AT, "amount_rial": 100, "lines": [line_of(category)]}
    return requests.read_transaction(
        msgspec.json.encode(asked | {"identifier": shown or {"card": CARD}})
    )


def from_history(category: str, **shown: str) -> shapes.HistoricPurchase:
    asked: dict[str, Any] = {"merchant": 5, "transaction": category, "occurred_at": AT}
    asked |= {"amount_rial": 100, "lines": [line_of(category)]}
    return requests.read_historic(
        msgspec.json.encode(asked | {"identifier": shown or {"card": CARD}})
    )


def from_a_file(category: str) -> rows.Row:
    names = ("merchant", "transaction", "member", "occurred_at", "amount_rial", "sku", "category")
    cells = [category, category, category, AT, "100", category, category]
    places = {name: place for place, name in enumerate(names)}
    row = rows.read(2, cells, csv_rows.Header(len(names), places, ()))
    assert isinstance(row, rows.Row), row
    return row


def enrolled(**fields: str) -> memberships.Draft | memberships.Refusal:
    line = msgspec.json.encode({"consents": {"terms": True}} | fields)
    return memberships.read_line(line, keys=KEYS, wording="1")


def words_of(line: Any) -> tuple[str, str]:
    return line.sku, line.category


@pytest.mark.parametrize(("kept", "text"), SPELLINGS)
def test_every_door_keeps_one_spelling(kept: str, text: str) -> None:
    sold, brought = at_the_till(text), from_history(text)
    assert isinstance(sold.lines, tuple)
    assert isinstance(brought.lines, tuple)
    row = from_a_file(text)
    tried = awards.LineBody.model_validate(line_of(text))
    for line in (sold.lines[0], brought.lines[0], row, tried):
        assert words_of(line) == (kept, kept)
    assert {brought.transaction, row.transaction, row.merchant, row.member} == {kept}
    assert canonical(IdentifierKind.EXTERNAL, text) == kept
    merchant = {"party": 5, "sector": "food", "title_fa": "x", "title_en": "x", "reference": text}
    assert partners.MerchantBody.model_validate(merchant).reference == kept
    assert partners.MerchantQuery(reference=text).reference == kept


@pytest.mark.parametrize(("kept", "text"), SPELLINGS)
def test_what_is_kept_to_be_compared_is_folded_as_what_comes(kept: str, text: str) -> None:
    published = programmes.ProgrammeBody.model_validate(
        {"effective_from": AT, "title_fa": "x", "title_en": "x", "earn_points": 1}
        | {"earn_per_rial": 1, "earning_categories": [text], "excluded_categories": [text]}
    )
    assert published.earning_categories == published.excluded_categories == [kept]
    line = Line(line=1, amount_rial=1, sku=kept, category=kept)
    for condition in ({"==": [{"var": "category"}, text]}, {"in": [{"var": "sku"}, [text]]}):
        assert conditions.compile_line_condition(condition, "").run(line)
        assert conditions.compile_line_condition(tree.folded(condition), "").run(line)


@pytest.mark.parametrize("text", MOBILES)
def test_every_door_knows_a_mobile_in_every_spelling(text: str) -> None:
    shown = "+989953517329"
    assert canonical(IdentifierKind.MOBILE, text) == shown
    draft = enrolled(mobile=text)
    assert isinstance(draft, memberships.Draft)
    assert draft.contact.mobile == shown  # what the product shows is taken back: it is in MOBILES
    for asked in (at_the_till("a", mobile=text), from_history("a", mobile=text)):
        assert isinstance(asked.identifier, shapes.Identifier)
        assert requests.canonical_identifier(asked.identifier) == (IdentifierKind.MOBILE, shown)


@pytest.mark.parametrize("text", NO_MOBILES)
def test_no_door_guesses_whose_mobile_it_is(text: str) -> None:
    refused = enrolled(mobile=text)
    assert isinstance(refused, memberships.Refusal)
    assert refused.code == "bad-mobile"
    asked = at_the_till("a", mobile=text)
    assert isinstance(asked.identifier, shapes.Identifier)
    with pytest.raises(Problem) as caught:
        requests.canonical_identifier(asked.identifier)
    assert caught.value.code == "bad-identifier"


@pytest.mark.parametrize("text", CARDS)
def test_every_door_knows_a_card_in_every_spelling(text: str) -> None:
    draft = enrolled(mobile=MOBILES[0], card=text)
    assert isinstance(draft, memberships.Draft)
    assert draft.marks[-1].text == CARD
    asked = at_the_till("a", card=text)
    assert isinstance(asked.identifier, shapes.Identifier)
    assert requests.canonical_identifier(asked.identifier) == (IdentifierKind.CARD, CARD)
