"""Who takes part in the demo: merchants of several kinds, their programmes, the network's terms."""

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Merchant:
    """One partner. earn: points for every so many Rial. valid_days None: points never expire."""

    number: int
    party: int
    sector: str
    fa: str
    en: str
    departments: tuple[str, ...]
    earn_points: int
    earn_per_rial: int
    valid_days: int | None
    share_bp: int = 5_000
    own_bp: int = 0
    own_max_rial: int = 0
    excluded: tuple[str, ...] = ()


MERCHANTS = (
    Merchant(
        number=11,
        party=11,
        sector="supermarket",
        fa="هایپر ستاره",
        en="Setareh supermarket",
        departments=("GROCERY", "FROZEN GROCERY", "GM MERCH EXP"),
        earn_points=1,
        earn_per_rial=20_000,
        valid_days=365,
        excluded=("CIGARETTES",),
    ),
    Merchant(
        number=12,
        party=12,
        sector="butcher",
        fa="قصابی البرز",
        en="Alborz butcher",
        departments=("MEAT", "MEAT-PCKGD"),
        earn_points=1,
        earn_per_rial=15_000,
        valid_days=21,
    ),
    Merchant(
        number=13,
        party=13,
        sector="drugstore",
        fa="داروخانهٔ مهر",
        en="Mehr drugstore",
        departments=("DRUG GM", "NUTRITION"),
        earn_points=3,
        earn_per_rial=40_000,
        valid_days=180,
        own_bp=500,
        own_max_rial=200_000,
    ),
    Merchant(
        number=14,
        party=14,
        sector="florist",
        fa="گل‌فروشی نرگس",
        en="Narges florist",
        departments=("FLORAL", "GARDEN CENTER"),
        earn_points=2,
        earn_per_rial=10_000,
        valid_days=14,
    ),
    Merchant(
        number=15,
        party=15,
        sector="petrol-station",
        fa="جایگاه سوخت راه",
        en="Raah petrol station",
        departments=("FUEL", "MISCELLANEOUS", "AUTOMOTIVE"),
        earn_points=1,
        earn_per_rial=50_000,
        valid_days=None,
        share_bp=3_000,
    ),
    Merchant(
        number=16,
        party=16,
        sector="greengrocer",
        fa="میوهٔ تازه",
        en="Tazeh greengrocer",
        departments=("PRODUCE", "SALAD BAR"),
        earn_points=1,
        earn_per_rial=10_000,
        valid_days=30,
    ),
    Merchant(
        number=17,
        party=16,  # one company, two shops: the party owes, not the brand
        sector="bakery",
        fa="نان و شیرینی تازه",
        en="Tazeh bakery",
        departments=("PASTRY", "CHEF SHOPPE"),
        earn_points=1,
        earn_per_rial=10_000,
        valid_days=28,
        own_bp=1_000,
        own_max_rial=50_000,
    ),
    Merchant(
        number=18,
        party=18,
        sector="cosmetics",
        fa="آرایشی ماهرخ",
        en="Mahrokh cosmetics",
        departments=("COSMETICS",),
        earn_points=4,
        earn_per_rial=40_000,
        valid_days=90,
    ),
    Merchant(
        number=19,
        party=19,
        sector="fishmonger",
        fa="ماهی خلیج",
        en="Khalij fishmonger",
        departments=("SEAFOOD", "SEAFOOD-PCKGD"),
        earn_points=1,
        earn_per_rial=12_000,
        valid_days=60,
    ),
    Merchant(
        number=20,
        party=20,
        sector="restaurant",
        fa="رستوران و اغذیهٔ باغ",
        en="Baagh deli and restaurant",
        departments=("DELI", "RESTAURANT", "TRAVEL & LEISURE"),
        earn_points=2,
        earn_per_rial=25_000,
        valid_days=120,
    ),
)
BY_NUMBER = {m.number: m for m in MERCHANTS}
NETWORK_FA, NETWORK_EN = "پیوند", "Peyvand network"

TERMS: dict[str, Any] = {
    "price_rial": 100,
    "price_points": 1,
    "fee_bp": 150,
    "grace_days": 30,
}


def programme(merchant: Merchant) -> dict[str, Any]:
    """The body of a merchant's first programme version, without effective_from."""
    return {
        "title_fa": f"باشگاه {merchant.fa}",
        "title_en": f"{merchant.en} club",
        "earn_points": merchant.earn_points,
        "earn_per_rial": merchant.earn_per_rial,
        "excluded_categories": list(merchant.excluded),
        "validity_days": merchant.valid_days,
        "redeem_max_share_bp": merchant.share_bp,
        "own_discount_bp": merchant.own_bp,
        "own_discount_max_rial": merchant.own_max_rial,
    }
