"""Reasons that campaigns gives, each with a stable code, Persian first, numbers as each writes."""

from typing import Final

from contracts.text import number_fa
from contracts.values import Reason

NO_PROGRAMME: Final = Reason(
    code="no-programme",
    fa="این فروشگاه در این زمان طرح امتیاز نداشت.",
    en="The merchant had no points programme at this time.",
)
NO_TERMS: Final = Reason(
    code="no-terms",
    fa="شبکه در این زمان قیمت تسویه نداشت.",
    en="The network had no settlement price at this time.",
)
PAID_PART_DOES_NOT_EARN: Final = Reason(
    code="paid-part-does-not-earn",
    fa="در این فروشگاه خریدی که بخشی از آن با امتیاز یا اعتبار پرداخت شود امتیاز نمی‌گیرد.",
    en="At this merchant a sale partly paid with points or credit earns no points.",
)
CATEGORY_EXCLUDED: Final = Reason(
    code="category-excluded",
    fa="این گروه کالا امتیاز نمی‌دهد.",
    en="This category earns no points.",
)
CATEGORY_NOT_EARNING: Final = Reason(
    code="category-not-earning",
    fa="تنها برخی گروه‌های کالا امتیاز می‌دهند و این کالا از آن‌ها نیست.",
    en="Only some categories earn points, and this is not one of them.",
)
ZERO_AMOUNT: Final = Reason(
    code="zero-amount",
    fa="برای این قلم مبلغی پرداخت نشد.",
    en="Nothing was paid for this line.",
)
BELOW_ONE_POINT: Final = Reason(
    code="below-one-point",
    fa="مبلغ به یک امتیاز نرسید.",
    en="The amount is too small for one point.",
)
BASE_EARNS_NOTHING: Final = Reason(
    code="base-earns-nothing",
    fa="طرح فروشگاه امتیاز پایه ندارد و قاعدهٔ دیگری هم برقرار نبود.",
    en="The programme gives no base points, and no other rule applied.",
)
HISTORY_BASE_ONLY: Final = Reason(
    code="history-base-only",
    fa="خریدهای گذشته تنها امتیاز پایه می‌گیرند و این طرح امتیاز پایه ندارد.",
    en="Imported history earns base points only, and this programme gives none.",
)
CAP_TRIMMED: Final = Reason(
    code="cap-trimmed",
    fa="امتیاز این قاعده به سقف آن رسید و بیش از آن داده نشد.",
    en="The points of this rule were trimmed to its cap.",
)
CAP_REJECTED: Final = Reason(
    code="cap-rejected",
    fa="امتیاز این قاعده از سقف آن گذشت و داده نشد.",
    en="The points of this rule exceed its cap, so it gave none.",
)
NOTHING_TO_REDEEM: Final = Reason(
    code="nothing-to-redeem",
    fa="امتیاز یا اعتباری برای خرج کردن خواسته نشد.",
    en="Neither points nor credit were asked for.",
)
POINTS_WORTH_NOTHING: Final = Reason(
    code="points-worth-nothing",
    fa="این تعداد امتیاز به یک ریال هم نمی‌رسد.",
    en="So few points are worth less than one Rial.",
)
NOT_KNOWN_IN_TIME: Final = Reason(
    code="programme-not-known-in-time",
    fa="شرایط طرح فروشگاه به‌موقع نرسید؛ این خرید را با شمارهٔ تازه دوباره ثبت کنید.",
    en="The programme or terms did not arrive in time; enter it again under a new number.",
)
UNDECODABLE: Final = Reason(
    code="undecodable",
    fa="پیام تراکنش خوانا نبود.",
    en="The transaction's record could not be read.",
)
CANNOT_DECIDE: Final = Reason(
    code="campaigns-cannot-decide",
    fa="دربارهٔ امتیاز این تراکنش نمی‌شد تصمیم گرفت؛ چیزی ثبت نشد.",
    en="Campaigns could not decide this transaction.",
)


def below_minimum(least: int) -> Reason:
    """Fewer points asked than the programme lets anyone spend at once."""
    return Reason(
        code="redeem-below-minimum",
        fa=f"کمترین امتیاز قابل خرج در این فروشگاه {number_fa(least)} است.",
        en=f"This merchant takes {least:,} points or more at once.",
    )


def above_share(most_rial: int) -> Reason:
    """More of the basket than the programme lets points and credit pay."""
    return Reason(
        code="redeem-above-share",
        fa=f"با امتیاز و اعتبار تا {number_fa(most_rial)} ریال از این خرید را می‌توان پرداخت.",
        en=f"Points and credit may pay {most_rial:,} Rial of this basket.",
    )


TOP_UP_NOT_OFFERED: Final = Reason(
    code="top-up-not-offered",
    fa="این فروشگاه کیف پول را شارژ نمی‌کند.",
    en="This merchant does not top up wallets.",
)


def top_up_too_large(amount_rial: int, most_rial: int) -> Reason:
    """More money for a wallet at once than the programme takes."""
    return Reason(
        code="top-up-too-large",
        fa=f"این فروشگاه کیف پول را هر بار تا {number_fa(most_rial)} ریال شارژ می‌کند،"
        f" نه {number_fa(amount_rial)} ریال.",
        en=f"This merchant tops up a wallet by {most_rial:,} Rial at most, not {amount_rial:,}.",
    )


def basket_too_large(amount_rial: int, most_rial: int) -> Reason:
    """A larger basket than the programme takes: a slip of the keys, or worse (findings S15)."""
    return Reason(
        code="basket-too-large",
        fa=f"این فروشگاه خرید تا {number_fa(most_rial)} ریال را ثبت می‌کند،"
        f" نه {number_fa(amount_rial)} ریال؛"
        " مبلغ را بررسی کنید.",
        en=f"This merchant takes sales of {most_rial:,} Rial at most, not {amount_rial:,};"
        " check the amount.",
    )
