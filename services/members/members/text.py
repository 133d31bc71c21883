"""Text in the form in which it is stored."""

from typing import Final

from contracts.text import clean_text

NAME_LENGTH_MAX: Final = 100


def clean_name(text: str) -> str:
    """A name, or the version of a wording, as it is kept; may be empty.

    Raises ValueError as `contracts.text.clean_text` does, and on over 100 characters.
    """
    cleaned = clean_text(text)
    if len(cleaned) > NAME_LENGTH_MAX:
        raise ValueError(f"must have at most {NAME_LENGTH_MAX} characters")
    return cleaned
