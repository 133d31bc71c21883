"""Numbers of Iran's registers, banks and post: spellings, check digits, what a slip does."""

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts import iran
from contracts.iran import IdentifierError

Clean = Callable[[str], str]
NATIONAL_ID, LEGAL_ID = "0012345679", "10380284790"
SHEBA, POSTAL_CODE = "IR050170000000123456789012", "1193653471"
PERSIAN = str.maketrans("0123456789", "۰۱۲۳۴۵۶۷۸۹")
ARABIC = str.maketrans("0123456789", "٠١٢٣٤٥٦٧٨٩")

# worked by hand: 0×10+0×9+1×8+2×7+3×6+4×5+5×4+6×3+7×2 = 112 = 10×11 + 2, so 11 - 2
VECTORS: list[tuple[Clean, str]] = [
    (iran.clean_national_id, NATIONAL_ID),
    (iran.clean_legal_id, LEGAL_ID),
    (iran.clean_sheba, SHEBA),
    (iran.clean_postal_code, POSTAL_CODE),
    (iran.clean_mobile, "+989123456789"),
]


@pytest.mark.parametrize(("clean", "kept"), VECTORS)
def test_every_spelling_is_one(clean: Clean, kept: str) -> None:
    spaced = " ".join(kept[i : i + 4] for i in range(0, len(kept), 4))
    for text in (kept, spaced, spaced.replace(" ", "-"), f" {kept}\u200f", f"\u202a{kept}\u202c"):
        for spelled in (text, text.translate(PERSIAN), text.translate(ARABIC)):
            assert clean(spelled) == kept
    assert clean(clean(kept)) == kept


def test_a_sheba_is_taken_without_its_country_and_in_small_letters() -> None:
    assert iran.clean_sheba(SHEBA[2:]) == iran.clean_sheba(SHEBA.lower()) == SHEBA
    assert int(SHEBA[4:] + "1827" + SHEBA[2:4]) % 97 == 1  # ISO 13616, as a reader checks it


@pytest.mark.parametrize(("clean", "kept"), VECTORS)
def test_a_refusal_says_what_is_wrong_in_both_languages(clean: Clean, kept: str) -> None:
    for text in ("", "x", kept[:7], kept + "1", kept[:-1] + "²", kept[:-1] + "O", "\u0660"):
        with pytest.raises(IdentifierError) as refused:
            clean(text)
        assert refused.value.code in ("length", "mobile")
        assert str(refused.value) == f"{refused.value.fa} · {refused.value.en}"
        assert refused.value.fa
        assert refused.value.en


def test_zeros_that_a_spreadsheet_lost_are_put_back() -> None:
    assert iran.clean_national_id("12345679") == NATIONAL_ID


@pytest.mark.parametrize("clean", [iran.clean_national_id, iran.clean_postal_code])
@pytest.mark.parametrize("digit", "123456789")
def test_ten_equal_digits_are_nobodys(clean: Clean, digit: str) -> None:
    with pytest.raises(IdentifierError) as refused:
        clean(digit * 10)
    assert refused.value.code == "repeated-digit"


def wrong_digit(number: str, place: int, by: int) -> str:
    digit = (int(number[place]) + by) % 10
    return f"{number[:place]}{digit}{number[place + 1 :]}"


def swapped(number: str, place: int) -> str:
    return f"{number[:place]}{number[place + 1]}{number[place]}{number[place + 2 :]}"


def is_refused(clean: Clean, text: str) -> bool:
    try:
        clean(text)
    except IdentifierError:
        return True
    return False


def digits(count: int) -> st.SearchStrategy[str]:
    return st.text("0123456789", min_size=count, max_size=count)


@given(digits(22), st.integers(0, 23), st.integers(1, 9))
def test_a_sheba_catches_any_wrong_digit(account: str, place: int, by: int) -> None:
    number = iran.sheba_check_digits(account) + account
    assert iran.clean_sheba(number) == f"IR{number}"
    assert is_refused(iran.clean_sheba, wrong_digit(number, place, by))


@given(digits(22), st.integers(0, 22))
def test_a_sheba_catches_any_two_swapped_neighbours(account: str, place: int) -> None:
    number = iran.sheba_check_digits(account) + account
    other = swapped(number, place)
    assert other == number or is_refused(iran.clean_sheba, other)


def national_remainder(body: str) -> int:
    return sum(int(d) * w for d, w in zip(body, range(10, 1, -1), strict=True)) % 11


@given(digits(9).filter(lambda d: len(set(d)) > 1), st.integers(0, 9), st.integers(1, 9))
def test_a_national_id_catches_a_wrong_digit_where_its_check_digit_can(
    body: str, place: int, by: int
) -> None:
    """Remainders 1 and 10 have the same check digit: nothing tells these two apart."""
    number = body + iran.national_id_check_digit(body)
    assert iran.clean_national_id(number) == number
    other = wrong_digit(number, place, by)
    shared = {national_remainder(body), national_remainder(other[:9])} == {1, 10}
    assert is_refused(iran.clean_national_id, other) or shared


@given(digits(9).filter(lambda d: len(set(d)) > 1), st.integers(0, 7))
def test_a_national_id_catches_swapped_neighbours_where_its_check_digit_can(
    body: str, place: int
) -> None:
    number = body + iran.national_id_check_digit(body)
    other = swapped(number, place)
    shared = {national_remainder(body), national_remainder(other[:9])} == {1, 10}
    assert other == number or shared or is_refused(iran.clean_national_id, other)


def legal_remainder(body: str) -> int:
    offset, weights = int(body[9]) + 2, (29, 27, 23, 19, 17) * 2
    return sum((int(d) + offset) * w for d, w in zip(body, weights, strict=True)) % 11


@given(digits(10), st.integers(0, 10), st.integers(1, 9))
def test_a_legal_id_catches_a_wrong_digit_where_its_check_digit_can(
    body: str, place: int, by: int
) -> None:
    """Remainders 0 and 10 have the same check digit."""
    number = body + iran.legal_id_check_digit(body)
    assert iran.clean_legal_id(number) == number
    other = wrong_digit(number, place, by)
    shared = {legal_remainder(body), legal_remainder(other[:10])} == {0, 10}
    assert is_refused(iran.clean_legal_id, other) or shared


@given(digits(10), st.integers(0, 8))
def test_a_legal_id_catches_swapped_neighbours_where_its_check_digit_can(
    body: str, place: int
) -> None:
    number = body + iran.legal_id_check_digit(body)
    other = swapped(number, place)
    shared = {legal_remainder(body), legal_remainder(other[:10])} == {0, 10}
    assert other == number or shared or is_refused(iran.clean_legal_id, other)


def test_the_bank_of_a_sheba_is_named_where_it_is_known() -> None:
    assert iran.bank_of(SHEBA) == ("بانک ملی ایران", "Bank Melli Iran")
    unknown = "999" + "0" * 19
    number = f"IR{iran.sheba_check_digits(unknown)}{unknown}"
    assert iran.bank_of(iran.clean_sheba(number)) is None
