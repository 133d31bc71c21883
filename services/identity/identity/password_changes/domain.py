"""Refusals of a change of one's password."""

from kit.base import errors


class PasswordRefused(errors.Forbidden):
    """The password before is not the one that was sent."""

    code = "password-refused"
    fa = "گذرواژهٔ کنونی درست نیست؛ دوباره بنویسید، یا از گردانندهٔ شبکه دعوت تازه‌ای بخواهید."
