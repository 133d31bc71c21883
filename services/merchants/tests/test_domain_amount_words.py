"""Amounts in words: known ones, and every one read back by a reader that knows no scale's order."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from merchants.statements.domain import amount_words

BELOW_TWENTY = (
    "صفر یک دو سه چهار پنج شش هفت هشت نه ده یازده دوازده سیزده چهارده پانزده شانزده هفده هجده نوزده"
)
TENS = "بیست سی چهل پنجاه شصت هفتاد هشتاد نود"
HUNDREDS = "یکصد دویست سیصد چهارصد پانصد ششصد هفتصد هشتصد نهصد"
READ = {word: value for value, word in enumerate(BELOW_TWENTY.split())}
READ |= {word: 10 * value for value, word in enumerate(TENS.split(), 2)}
READ |= {word: 100 * value for value, word in enumerate(HUNDREDS.split(), 1)}
SCALES = {"هزار": 10**3, "میلیون": 10**6}


def read_back(text: str) -> int:
    """A second way: adds up what the words say, one after the other, as one who listens does."""
    sign = -1 if text.startswith("منفی ") else 1
    total = 0
    for part in text.removeprefix("منفی ").split(" و "):
        heard = part.split(" ")
        group = 1 if heard[0] in {*SCALES, "میلیارد"} else READ[heard.pop(0)]
        if heard and heard[0] in SCALES:
            below = total % 10**6  # hundreds and tens that belong to this scale
            above = total - below if group < 1_000 else total
            total = above + (below + group) * SCALES[heard.pop(0)]
            group = 0
        total += group
        for word in heard:
            assert word == "میلیارد"
            total *= 10**9
    return sign * total


@pytest.mark.SH14
@pytest.mark.parametrize(
    ("number", "text"),
    [
        (0, "صفر"),
        (1, "یک"),
        (10, "ده"),
        (19, "نوزده"),
        (21, "بیست و یک"),
        (100, "یکصد"),
        (999, "نهصد و نود و نه"),
        (10**3, "هزار"),
        (1_001, "هزار و یک"),
        (2_000, "دو هزار"),
        (101_010, "یکصد و یک هزار و ده"),
        (10**6, "یک میلیون"),
        (1_001_000, "یک میلیون و هزار"),
        (10**9, "یک میلیارد"),
        (10**12, "هزار میلیارد"),
        (10**15, "یک میلیون میلیارد"),
        (-9_520, "منفی نه هزار و پانصد و بیست"),
        (12_345 * 10**9 + 1, "دوازده هزار و سیصد و چهل و پنج میلیارد و یک"),
        (10**18, "یک میلیارد میلیارد"),
    ],
)
def test_known_numbers(number: int, text: str) -> None:
    assert amount_words.words_fa(number) == text


@given(
    st.integers(-amount_words.WORDS_MAX, amount_words.WORDS_MAX)
    | st.integers(-9_999, 9_999)
    | st.builds(lambda digits, zeros: digits * 10**zeros, st.integers(0, 999), st.integers(0, 20))
)
def test_every_number_is_read_back(number: int) -> None:
    assert read_back(amount_words.words_fa(number)) == number


@given(st.integers(0, 10**15), st.integers(0, 10**15))
def test_two_numbers_never_have_the_same_words(one: int, other: int) -> None:
    assert (amount_words.words_fa(one) == amount_words.words_fa(other)) == (one == other)


@pytest.mark.parametrize("beyond", [amount_words.WORDS_MAX + 1, -amount_words.WORDS_MAX - 1])
def test_beyond_the_last_scale_there_are_no_words(beyond: int) -> None:
    with pytest.raises(ValueError, match="no words"):
        amount_words.words_fa(beyond)


@pytest.mark.parametrize(
    ("rials", "text"),
    [
        (0, "صفر تومان"),
        (7, "هفت ریال"),
        (10, "یک تومان"),
        (9_525, "نهصد و پنجاه و دو تومان و پنج ریال"),
        (-10_000, "منفی هزار تومان"),
    ],
)
def test_toman_are_ten_rial_and_nothing_is_lost(rials: int, text: str) -> None:
    assert amount_words.toman_fa(rials) == text


@given(st.integers(-(10**18), 10**18))
def test_toman_and_rial_are_the_same_amount(rials: int) -> None:
    text = amount_words.toman_fa(rials)
    bare = text.removeprefix("منفی ")
    toman, _, rest = bare.rpartition(" تومان") if " تومان" in bare else ("", "", bare)
    rest = rest.removeprefix(" و ").removesuffix(" ریال")
    amount = (read_back(toman) * 10 if toman else 0) + (read_back(rest) if rest else 0)
    assert (-amount if text.startswith("منفی") else amount) == rials
    assert amount_words.rial_fa(rials).removesuffix(" ریال") == amount_words.words_fa(rials)
