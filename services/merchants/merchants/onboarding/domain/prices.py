"""What the network charges: a versioned price list, and an estimate from it. Source: NH22, NH23."""

from dataclasses import dataclass
from typing import Annotated, Any

from msgspec import Meta, Struct

from merchants.onboarding.domain.facts import Facts
from merchants.onboarding.domain.questionnaire import Wording
from merchants.onboarding.domain.rules import Package, PackageRule, Rules, package_rule

Price = Annotated[int, Meta(ge=0, le=10**10)]  # of 100,000 branches the sum is exact
MessagePrice = Annotated[int, Meta(ge=0, le=10**5)]  # of 3 billion purchases a month, too


class _Row(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """A row of the price list has no field that nobody knows."""


class Feature(_Row, frozen=True, kw_only=True):
    """Something that a package holds."""

    fa: Wording
    en: Wording


class PackagePrice(_Row, frozen=True, kw_only=True):
    """A package: what it holds, and its prices in Rial. at_least: the price is agreed, not less."""

    fa: Wording
    en: Wording
    features: Annotated[tuple[Feature, ...], Meta(min_length=1, max_length=40)]
    setup_rial: Price
    setup_branch_rial: Price
    monthly_rial: Price
    monthly_branch_rial: Price
    at_least: bool = False


class Prices(_Row, frozen=True, kw_only=True):
    """One version of the price list. message_rial: an SMS to a member after a purchase."""

    packages: dict[Package, PackagePrice]
    message_rial: MessagePrice


@dataclass(frozen=True, slots=True)
class FeatureView:
    """Something that a package holds."""

    fa: str
    en: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Charge:
    """One line of an estimate; count × unit_rial = amount_rial."""

    code: str
    fa: str
    en: str
    count: int
    unit_rial: int
    amount_rial: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimate:
    """The package that fits, why, and what it costs: once, and each month without messages.

    code, question, fa, en: the reason and the answer it comes from. at_least: the price is agreed.
    """

    package: Package
    package_fa: str
    package_en: str
    code: str
    question: str
    fa: str
    en: str
    features: tuple[FeatureView, ...]
    setup: tuple[Charge, ...]
    setup_rial: int
    monthly: tuple[Charge, ...]
    monthly_rial: int
    message_rial: int
    at_least: bool


def faults_of(prices: Prices) -> list[dict[str, Any]]:
    """Why a price list cannot be used: path, and what must be, in English."""
    missing = [package for package in Package if package not in prices.packages]
    return [{"path": f"/packages/{one}", "en": f"{one}: has no price"} for one in missing]


def estimate(facts: Facts, rules: Rules, prices: Prices) -> Estimate:
    """The package that fits a business, and what it costs."""
    row = package_rule(rules, facts)
    price = prices.packages[row.package]
    code, question, fa, en = _reason(row, facts)
    setup = _charges("setup", facts.branches, price.setup_rial, price.setup_branch_rial)
    monthly = _charges("monthly", facts.branches, price.monthly_rial, price.monthly_branch_rial)
    setup_rial, monthly_rial = (sum(c.amount_rial for c in some) for some in (setup, monthly))
    return Estimate(
        package=row.package,
        package_fa=price.fa,
        package_en=price.en,
        code=code,
        question=question,
        fa=fa,
        en=en,
        features=tuple(FeatureView(one.fa, one.en) for one in price.features),
        setup=setup,
        setup_rial=setup_rial,
        monthly=monthly,
        monthly_rial=monthly_rial,
        message_rial=prices.message_rial,
        at_least=price.at_least,
    )


def _charges(code: str, branches: int, whole_rial: int, branch_rial: int) -> tuple[Charge, ...]:
    return tuple(
        Charge(code=one, fa=fa, en=en, count=count, unit_rial=rial, amount_rial=count * rial)
        for (one, fa, en), count, rial in zip(
            _CHARGES[code], (1, branches), (whole_rial, branch_rial), strict=True
        )
    )


_CHARGES = {
    "setup": (
        ("setup", "راه‌اندازی", "Set-up"),
        ("setup-branch", "راه‌اندازی هر شعبه", "Set-up of each branch"),
    ),
    "monthly": (
        ("monthly", "ماهانه", "Monthly"),
        ("monthly-branch", "ماهانهٔ هر شعبه", "Monthly of each branch"),
    ),
}


def _reason(row: PackageRule, facts: Facts) -> tuple[str, str, str, str]:
    """(code, question, Persian, English) of why a package fits."""
    if facts.channel in row.channels:
        return (
            "by-channel", "channel",
            "فروش اینترنتی دارید و این بسته فروشگاه اینترنتی را وصل می‌کند.",
            "You sell online, and this package connects an online shop.",
        )  # fmt: skip
    if facts.size in row.sizes:
        return (
            "by-size", "size",
            "کسب‌وکاری به این بزرگی نیازهای ویژهٔ خود را دارد.",
            "A business of this size has needs of its own.",
        )  # fmt: skip
    if row.branches_min > 1:
        return (
            "by-branches", "branches",
            "شمار شعبه‌ها این بسته را لازم دارد.",
            "The number of branches needs this package.",
        )  # fmt: skip
    return (
        "smallest", "branches",
        "کوچک‌ترین بسته برای این کسب‌وکار بس است.",
        "The smallest package is enough for this business.",
    )  # fmt: skip
