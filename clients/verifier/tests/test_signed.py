"""Files of checkpoints: many in one, torn ones, spoilt ones."""

import pytest

from verifier import signed

NOTE = "{0}/3\n{1}\nroot=\ntime 1\n\n— {0}/3 sig=\n"
ONE, TWO = NOTE.format("peyvand.example/ledger", 42), NOTE.format("peyvand.example/ledger", 43)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("", []),
        (ONE, [(1, ONE)]),
        (ONE + TWO, [(1, ONE), (7, TWO)]),
        (ONE + TWO[:-3], [(1, ONE)]),  # cut off
        (ONE + TWO[:9], [(1, ONE)]),
        (ONE + TWO[:30] + "~\n" + TWO, [(1, ONE), (10, TWO)]),
        (ONE + "no note\n" + TWO, [(1, ONE), (7, "no note\n"), (8, TWO)]),
        (ONE.replace("\n\n", "\nx\n") + TWO, [(1, ONE.replace("\n\n", "\nx\n")), (7, TWO)]),
    ],
)
def test_notes_of_a_file(text, found):
    assert list(signed.notes(text)) == found


def test_two_witnesses_belong_to_one_note():
    text = ONE + "— witness.example sig=\n"
    assert list(signed.notes(text + TWO)) == [(1, text), (8, TWO)]
