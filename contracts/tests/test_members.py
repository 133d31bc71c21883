"""Identifiers: spellings, check digits, digests, bindings as of a time."""

from datetime import UTC, datetime, timedelta

import phonenumbers
import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts import keys, members
from contracts.members import Binding, IdentifierKind

NOW = datetime(2026, 11, 21, tzinfo=UTC)
ONE, OTHER = (keys.derive(bytes([n] * 32), members.OF_IDENTIFIERS) for n in (1, 2))


@pytest.mark.parametrize(
    "text",
    [
        "09123456789",
        "9123456789",
        "+989123456789",
        "00989123456789",
        "989123456789",
        "+98 (0) 912 345 67 89",
        "(0912) 345.6789",
        "۰۹۱۲ ۳۴۵ ۶۷۸۹",
        "٠٩١٢٣٤٥٦٧٨٩",
        " 0912-345-6789 ",
        "0912\u200c345\u200c6789",
        "0912_345_6789",
        "0912ـ345ـ6789",
        "\u202a+98 912 345 6789\u202c",
        "\u2066۰۹۱۲–۳۴۵–۶۷۸۹\u2069",
        "०९१२३४५६७८९",
        "\uff0b\uff19\uff18\uff19\uff11\uff12\uff13\uff14\uff15\uff16\uff17\uff18\uff19",
    ],
)
def test_every_spelling_of_a_mobile_is_one(text: str) -> None:
    assert members.canonical(IdentifierKind.MOBILE, text) == "+989123456789"


@pytest.mark.parametrize(
    "text",
    [
        *("", "hello", "02188776655", "09621", "+14155552671", "0912", "091234567890"),
        *("0912fff2153", "0912fff5237", "09129175dgf", "+98912ABC2938", "0912-CALL-NOW"),
        *("09123456789 x12", "09123456789;ext=12", "09123456789#12", "09123456789,12"),
        *("09123456789;09121111111", "09123456789/09121111111", "09123456789 09121111111"),
        *("0912345678²", "091234567⑧9", "tel:09123456789", "0989123456789x", "++989123456789"),
    ],
)
def test_what_is_no_iranian_mobile_is_refused(text: str) -> None:
    with pytest.raises(ValueError):
        members.canonical(IdentifierKind.MOBILE, text)


@pytest.mark.parametrize("prefix", range(900, 1000))
def test_what_we_show_of_any_mobile_is_taken_back(prefix: int) -> None:
    shown = members.canonical(IdentifierKind.MOBILE, f"0{prefix}3517329")
    assert shown == f"+98{prefix}3517329"
    spaced = f"{shown[:3]} {shown[3:6]} {shown[6:]}"
    for again in (shown, shown[1:], f"00{shown[1:]}", shown[3:], spaced):
        assert members.canonical(IdentifierKind.MOBILE, again) == shown


@given(st.from_regex(r"(\+98|0098|0)?[ -]?9[0-9]{2}[ -]?[0-9]{3}[ .]?[0-9]{4}", fullmatch=True))
def test_what_others_know_as_an_iranian_mobile_we_know_as_the_same(text: str) -> None:
    number = phonenumbers.parse(text, "IR")
    if phonenumbers.number_type(number) == phonenumbers.PhoneNumberType.MOBILE:
        told = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
        assert members.canonical(IdentifierKind.MOBILE, text) == told


@given(st.text("0123456789", min_size=15, max_size=15))
def test_the_check_digit_catches_any_single_wrong_digit(body: str) -> None:
    number = body + members.luhn_check_digit(body)
    assert members.canonical(IdentifierKind.CARD, number) == number
    wrong = number[:4] + str((int(number[4]) + 1) % 10) + number[5:]
    with pytest.raises(ValueError):
        members.canonical(IdentifierKind.CARD, wrong)


def test_a_card_may_be_typed_in_persian_with_spaces() -> None:
    number = "603799000000001" + members.luhn_check_digit("603799000000001")
    persian = number.translate({ord(str(i)): c for i, c in enumerate("۰۱۲۳۴۵۶۷۸۹")})
    spaced = " ".join(persian[i : i + 4] for i in range(0, 16, 4))
    assert members.canonical(IdentifierKind.CARD, spaced) == number


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        (IdentifierKind.CARD, "1234"),
        (IdentifierKind.QR, "PV1short"),
        (IdentifierKind.QR, "XX1" + "a" * 20),
        (IdentifierKind.EXTERNAL, " "),
        (IdentifierKind.EXTERNAL, "x" * 65),
    ],
)
def test_bad_identifiers_are_refused(kind: IdentifierKind, text: str) -> None:
    with pytest.raises(ValueError):
        members.canonical(kind, text)


def test_good_texts_pass() -> None:
    assert members.canonical(IdentifierKind.QR, " PV1" + "a" * 20) == "PV1" + "a" * 20
    assert members.canonical(IdentifierKind.EXTERNAL, " 0017 ") == "0017"


@pytest.mark.parametrize("text", ["كد-۰۰۱۷/ي", "کد-0017/ی", " كد-٠٠١٧/ى ", "کد-۰۰١7/ي"])
def test_every_spelling_of_a_partners_reference_is_one(text: str) -> None:
    assert members.canonical(IdentifierKind.EXTERNAL, text) == "کد-0017/ی"


def test_a_digest_depends_on_key_kind_and_text() -> None:
    made = {
        members.digest(key, kind, text)
        for key in (ONE, OTHER)
        for kind in (IdentifierKind.CARD, IdentifierKind.MOBILE)
        for text in ("1", "2")
    }
    assert len(made) == 8


def test_a_reference_is_digested_within_its_party() -> None:
    """Two partners number their customers alike, and none of them means the other's."""
    made = {
        members.digest(ONE, IdentifierKind.EXTERNAL, text, party=party)
        for party in (1, 11, 2**31 - 1)
        for text in ("1", "1:1", "67890")
    }
    assert len(made) == 9
    with pytest.raises(ValueError, match="party"):
        members.digest(ONE, IdentifierKind.EXTERNAL, "67890")
    cards = {members.digest(ONE, IdentifierKind.CARD, "1", party=party) for party in (0, 5)}
    assert len(cards) == 1  # a card is the network's, whoever is asked


def test_the_first_binding_holds_for_all_earlier_times() -> None:
    first = Binding(from_at=NOW, member=1, account=1, shard=1)
    second = Binding(from_at=NOW + timedelta(days=1), member=2, account=2, shard=2)
    bound = (first, second)
    assert members.as_of(bound, NOW - timedelta(days=900)) is first
    assert members.as_of(bound, NOW + timedelta(hours=23)) is first
    assert members.as_of(bound, NOW + timedelta(days=1)) is second
    with pytest.raises(ValueError):
        members.as_of((), NOW)
