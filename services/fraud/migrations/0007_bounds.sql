-- Bounds of the business: what points are worth, days of terminals and merchants, earnings that do
-- not lapse, and the rules that use them (findings S6, S8, S15).

create table terms (                -- the network's, as merchants.terms says them
    version int primary key,
    body jsonb not null             -- contracts.merchants.Terms
);

create table day_sums (             -- sales that were not declined, over all shards
    over text not null check (over in ('terminal', 'merchant')),
    number int not null,
    day date not null,              -- of Tehran, by accepted_at
    sold_rial numeric(30, 0) not null,
    redeemed_rial numeric(30, 0) not null,
    primary key (over, number, day)
) with (fillfactor = 70);
create index day_sums_day on day_sums (day);

alter table cases add column lapses boolean not null default true;

grant select, insert, update on terms to fraud;
grant select, insert, update, delete on day_sums to fraud;

-- Windows keep a third kind of key: m.<merchant>.<identifier>, of history hm.

insert into rule_versions (rule, version, effective_from, author, body)
select
    body ->> 'rule', (body ->> 'version')::int, (body ->> 'effective_from')::timestamptz,
    'house', body
from (
    select item || '{"effective_from": "1970-01-01T00:00:00Z"}'::jsonb as body
    from jsonb_array_elements($rules$[
{"rule": "card-burst", "version": 2,
 "over": "card_at_merchant", "counts": "sales", "measure": "count", "window": "10m",
 "threshold": 10, "on_purchase": "decline", "on_redemption": "decline",
 "fa": "{shown} در ده دقیقه {value} بار در این فروشگاه به کار رفته است؛ بیش از {threshold} بار پذیرفته نمی‌شود.",
 "en": "{shown} was used {value} times in ten minutes at this shop; more than {threshold} is not accepted."},
{"rule": "card-hour", "version": 1,
 "over": "card_at_merchant", "counts": "sales", "measure": "count", "window": "1h",
 "threshold": 18, "on_purchase": "decline", "on_redemption": "decline",
 "fa": "{shown} در یک ساعت {value} بار در این فروشگاه به کار رفته است؛ بیش از {threshold} بار پذیرفته نمی‌شود.",
 "en": "{shown} was used {value} times in an hour at this shop; more than {threshold} is not accepted."},
{"rule": "card-day-sum", "version": 1,
 "over": "card_at_merchant", "counts": "purchases", "measure": "sum_rial", "window": "1d",
 "threshold": 900000000, "on_purchase": "hold", "on_redemption": "allow",
 "fa": "با {shown} در یک روز {value} ریال در این فروشگاه خرید شد؛ بیش از {threshold} ریال بررسی می‌شود.",
 "en": "{shown} bought for {value} Rial at this shop in a day; above {threshold} Rial it is reviewed."},
{"rule": "card-many-redemptions", "version": 1,
 "over": "card_at_merchant", "counts": "redemptions", "measure": "count", "window": "1d",
 "threshold": 7, "on_purchase": "allow", "on_redemption": "decline",
 "fa": "با {shown} در یک روز {value} بار در این فروشگاه امتیاز خرج شده است؛ بیش از {threshold} بار پذیرفته نمی‌شود.",
 "en": "{shown} redeemed {value} times at this shop in a day; more than {threshold} is not accepted."},
{"rule": "card-many-undos", "version": 1,
 "over": "card_at_merchant", "counts": "undos", "measure": "count", "window": "1d",
 "threshold": 10, "on_purchase": "hold", "on_redemption": "allow",
 "fa": "با {shown} در یک روز {value} بار به این فروشگاه کالا پس داده شده است؛ از این پس خریدها بررسی می‌شود.",
 "en": "{shown} undid {value} sales at this shop in a day; purchases are reviewed from now on."},
{"rule": "mobile-day-redeemed", "version": 1,
 "over": "card", "counts": "redemptions", "measure": "sum_rial", "window": "1d",
 "threshold": 2000000, "on_purchase": "allow", "on_redemption": "decline",
 "identifiers": ["mobile"],
 "fa": "با شمارهٔ موبایل به‌تنهایی در یک روز تا {threshold} ریال خرج می‌شود، نه {value} ریال؛ کارت یا کد QR عضو را نشان دهید.",
 "en": "A mobile number alone may spend {threshold} Rial a day, not {value}; show the member's card or QR code."},
{"rule": "account-burst", "version": 2,
 "over": "account", "counts": "sales", "measure": "count", "window": "1h", "threshold": 40,
 "on_purchase": "hold", "on_redemption": "allow",
 "fa": "این حساب در یک ساعت {value} تراکنش داشته است؛ بیش از {threshold} تراکنش بررسی می‌شود.",
 "en": "This account made {value} transactions in an hour; above {threshold} they are reviewed."},
{"rule": "card-many-merchants", "version": 2,
 "over": "card", "counts": "sales", "measure": "merchants", "window": "1h", "threshold": 8,
 "on_purchase": "hold", "on_redemption": "decline",
 "fa": "{shown} در یک ساعت در {value} فروشگاه به کار رفته است؛ بیش از {threshold} فروشگاه بررسی می‌شود.",
 "en": "{shown} was used at {value} merchants in an hour; above {threshold} it is reviewed."},
{"rule": "account-many-undos", "version": 2,
 "over": "account", "counts": "undos", "measure": "merchants", "window": "1d", "threshold": 5,
 "on_purchase": "hold", "on_redemption": "allow",
 "fa": "این حساب در یک روز به {value} فروشگاه کالا پس داده است؛ از این پس خریدها بررسی می‌شود.",
 "en": "This account undid sales at {value} merchants in a day; purchases are reviewed from now on."},
{"rule": "account-day-redeemed", "version": 1,
 "over": "account", "counts": "redemptions", "measure": "sum_rial", "window": "1d",
 "threshold": 100000000, "on_purchase": "allow", "on_redemption": "decline",
 "fa": "این حساب در یک روز {value} ریال امتیاز و اعتبار خرج می‌کند؛ بیش از {threshold} ریال پذیرفته نمی‌شود.",
 "en": "This account would spend {value} Rial of points and credit in a day; more than {threshold} is not accepted."},
{"rule": "terminal-day-sales", "version": 1,
 "over": "terminal", "counts": "purchases", "measure": "sum_rial", "window": "1d",
 "threshold": 20000000000, "on_purchase": "hold", "on_redemption": "allow",
 "fa": "فروش امروز این پایانه به {value} ریال رسیده است؛ بیش از {threshold} ریال بررسی می‌شود.",
 "en": "This terminal has sold for {value} Rial today; above {threshold} Rial it is reviewed."},
{"rule": "merchant-day-sales", "version": 1,
 "over": "merchant", "counts": "purchases", "measure": "sum_rial", "window": "1d",
 "threshold": 2000000000000, "on_purchase": "hold", "on_redemption": "allow",
 "fa": "فروش امروز این فروشگاه به {value} ریال رسیده است؛ بیش از {threshold} ریال بررسی می‌شود.",
 "en": "This merchant has sold for {value} Rial today; above {threshold} Rial it is reviewed."},
{"rule": "terminal-day-redeemed", "version": 1,
 "over": "terminal", "counts": "redemptions", "measure": "sum_rial", "window": "1d",
 "threshold": 2000000000, "on_purchase": "allow", "on_redemption": "decline",
 "fa": "امروز در این پایانه {value} ریال امتیاز و اعتبار خرج شده است؛ بیش از {threshold} ریال پذیرفته نمی‌شود.",
 "en": "{value} Rial of points and credit were spent at this terminal today; more than {threshold} is not accepted."},
{"rule": "merchant-day-redeemed", "version": 1,
 "over": "merchant", "counts": "redemptions", "measure": "sum_rial", "window": "1d",
 "threshold": 200000000000, "on_purchase": "allow", "on_redemption": "decline",
 "fa": "امروز در این فروشگاه {value} ریال امتیاز و اعتبار خرج شده است؛ بیش از {threshold} ریال پذیرفته نمی‌شود.",
 "en": "{value} Rial of points and credit were spent at this merchant today; more than {threshold} is not accepted."}
]$rules$::jsonb) as item
) as bodies;
update rulebook set revision = revision + 1;
