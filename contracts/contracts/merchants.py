"""Messages of merchants: terminals with their keys, programmes, terms, disputes."""

from typing import Annotated

from msgspec import Meta, Struct

from contracts.values import Amount, BasisPoints, Instant, Number, NumberOrZero, PositiveAmount


class TerminalKey(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """sha256: hex of the secret's SHA-256; the secret itself is shown once and kept nowhere.

    epoch: the terminal's when the key was issued. The key posts names of this epoch and of older
    ones, never of a later one (findings S11); with 0 it posts none. revoked_at: from then on it
    posts nothing, but may fetch the status of its own names for a day. It lies in the future while
    an old and a new key overlap.
    """

    key_id: str
    sha256: str
    created_at: Instant
    revoked_at: Instant | None = None
    epoch: NumberOrZero = 0


class Terminal(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """`terminal-changed.v1` on merchants.terminals, keyed terminal@version; the newest counts.

    epoch: rises with every activation, so a counter that starts again cannot collide. active: it
    was activated. stopped: nothing is taken under its keys until it is opened again; an activation
    does not open it. keys: those in force, and the last ended ones. online: it names orders and
    reverses them; a merchant has one such terminal at most (findings A12).
    """

    terminal: Number
    version: NumberOrZero
    epoch: NumberOrZero
    merchant: Number
    party: Number
    branch: Number
    active: bool
    keys: tuple[TerminalKey, ...] = ()
    stopped: bool = False
    online: bool = False


class MerchantStanding(Struct, frozen=True, kw_only=True):
    """`merchant-standing-changed.v1` on merchants.terminals, keyed merchant/number@version.

    stopped: nothing is taken under any key of the merchant's terminals. Merchants keeps who
    stopped it and why. The newest version counts.
    """

    merchant: Number
    version: Number
    stopped: bool


class Merchant(Struct, frozen=True, kw_only=True):
    """`merchant-changed.v1` on merchants.merchants, keyed merchant@version; the newest counts.

    The names by which customers know a shop. version: 1 when it is registered.
    """

    merchant: Number
    version: Number
    party: Number
    title_fa: str
    title_en: str


BASKET_MAX_RIAL = 10_000_000_000  # a billion Toman, where a merchant declares no other


class Programme(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """`programme-published.v1` on merchants.programmes, keyed merchant@version.

    In force from effective_from. earn_points for every earn_per_rial Rial of earning lines: in
    proportion, floored once a transaction, or only for whole steps of earn_per_rial where
    earn_in_steps is set (10 points per 100,000: 150,000 Rial earn 15, in steps 10).
    earns_on_paid_part: a sale partly paid with points or credit earns on what is paid in money;
    False: it earns nothing. basket_max_rial: a larger basket is declined. top_up_max_rial: the most
    that one top-up of a wallet may pay in here; 0: none is taken.
    earning_categories empty: all but excluded_categories.
    validity_days None: never expires; activation_days: pending so long after the purchase.
    redeem_max_share_bp: how much of a basket points and credit may pay. own_discount_bp: added on
    top of a redemption's value by the merchant itself, own_discount_max_rial at most.
    """

    merchant: Number
    party: Number
    version: Number
    effective_from: Instant
    title_fa: str
    title_en: str
    earn_points: Amount
    earn_per_rial: PositiveAmount
    earning_categories: tuple[str, ...] = ()
    excluded_categories: tuple[str, ...] = ()
    validity_days: Annotated[int, Meta(ge=1, le=36500)] | None = None
    activation_days: Annotated[int, Meta(ge=0, le=366)] = 0
    redeem_min_points: Amount = 0
    redeem_max_share_bp: BasisPoints = 10_000
    own_discount_bp: BasisPoints = 0
    own_discount_max_rial: Amount = 0
    basket_max_rial: PositiveAmount = BASKET_MAX_RIAL
    earns_on_paid_part: bool = True
    earn_in_steps: bool = False
    top_up_max_rial: Amount = 0


class Terms(Struct, frozen=True, kw_only=True):
    """`terms-published.v1` on merchants.terms, keyed network@version (architecture 5).

    Settlement price: price_rial Rial for every price_points network points;
    value = points * price_rial // price_points. fee_bp: of an acceptor's claim. grace_days: life
    of a restored lot that was past its date.
    """

    version: Number
    effective_from: Instant
    price_rial: PositiveAmount
    price_points: PositiveAmount
    fee_bp: BasisPoints
    grace_days: Annotated[int, Meta(ge=0, le=366)] = 30


class DisputeChanged(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """`dispute-changed.v1` on merchants.disputes, keyed by dispute: one for each state it reached.

    dispute: its UUID. version: of the state, from 1. window: the closed one whose line is disputed.
    due_at: until when a party may act. accepted_rial: what the respondent answered.
    correction_rial: what the end came to, in correction_window where it is above zero.
    opener_merchants, respondent_merchants: the parties' merchants at the time, whose programs are
    told (decision 0046).
    """

    dispute: str
    version: Number
    state: str
    at: Instant
    window: Number
    opener: Number
    respondent: Number
    amount_rial: PositiveAmount
    reason: str
    due_at: Instant | None = None
    accepted_rial: Amount | None = None
    correction_rial: Amount | None = None
    correction_window: Number | None = None
    opener_merchants: tuple[Number, ...] = ()
    respondent_merchants: tuple[Number, ...] = ()


class Heartbeat(Struct, frozen=True, kw_only=True):
    """`heartbeat.v1` on every partition of a state topic, through the same relay as the changes."""

    room: str
    at: Instant
