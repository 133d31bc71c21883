"""How a command of the till ends: an exit status with one meaning each, a text, and fields."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Any, Final


class Exit(IntEnum):
    """The exit status; each has one meaning."""

    DONE = 0
    DECLINED = 1
    UNKNOWN = 2
    REFUSED = 3
    UNUSABLE = 64


EXITS: Final = """\
exit status:
  0   انجام شد · done
  1   پذیرفته نشد · declined: an answer, with its reasons
  2   نتیجه نامعلوم؛ resend · outcome unknown: `resend` finds out, nothing counts twice
  3   رد شد؛ چیزی ثبت نشد و نمی‌شود · refused: nothing was posted and nothing will be
  64  فرمان نادرست؛ چیزی فرستاده نشد · a wrong command or no set-up: nothing was sent"""


@dataclass(frozen=True, slots=True)
class CommandResult:
    """What a command has to say: text for people, fields for programs."""

    exit: Exit
    text: str
    fields: Mapping[str, Any] = field(default_factory=dict[str, Any])

    def as_fields(self) -> dict[str, Any]:
        """The one JSON object of --json."""
        outcome = {"outcome": self.exit.name.lower(), "exit": int(self.exit)}
        return outcome | {"text": self.text} | dict(self.fields)
