-- Version 1 of the rules a new house starts with; operators replace the numbers by new versions.

insert into rule_versions (rule, version, effective_from, author, body)
select
    body ->> 'rule', (body ->> 'version')::int, (body ->> 'effective_from')::timestamptz,
    'house', body
from jsonb_array_elements($rules$[
{"rule": "card-burst", "version": 1, "effective_from": "1970-01-01T00:00:00Z", "enabled": true,
 "over": "card", "counts": "sales", "measure": "count", "window": "10m", "threshold": 10,
 "on_purchase": "decline", "on_redemption": "decline", "on_history": false,
 "fa": "این کارت در ده دقیقه {value} بار به کار رفته است؛ بیش از {threshold} بار پذیرفته نمی‌شود.",
 "en": "This card was used {value} times in ten minutes; more than {threshold} is not accepted."},
{"rule": "account-burst", "version": 1, "effective_from": "1970-01-01T00:00:00Z", "enabled": true,
 "over": "account", "counts": "sales", "measure": "count", "window": "1h", "threshold": 40,
 "on_purchase": "hold", "on_redemption": "decline", "on_history": false,
 "fa": "این حساب در یک ساعت {value} تراکنش داشته است؛ از {threshold} به بالا بررسی می‌شود.",
 "en": "This account made {value} transactions in an hour; above {threshold} they are reviewed."},
{"rule": "card-many-merchants", "version": 1, "effective_from": "1970-01-01T00:00:00Z",
 "enabled": true,
 "over": "card", "counts": "sales", "measure": "merchants", "window": "1h", "threshold": 8,
 "on_purchase": "hold", "on_redemption": "decline", "on_history": false,
 "fa": "این کارت در یک ساعت در {value} فروشگاه به کار رفته است؛ بیش از {threshold} فروشگاه بررسی می‌شود.",
 "en": "This card was used at {value} merchants in an hour; above {threshold} it is reviewed."},
{"rule": "account-day-sum", "version": 1, "effective_from": "1970-01-01T00:00:00Z",
 "enabled": true,
 "over": "account", "counts": "purchases", "measure": "sum_rial", "window": "1d",
 "threshold": 2000000000, "on_purchase": "hold", "on_redemption": "allow", "on_history": false,
 "fa": "خرید این حساب در یک روز به {value} ریال رسید؛ بیش از {threshold} ریال بررسی می‌شود.",
 "en": "This account bought for {value} Rial in a day; above {threshold} Rial it is reviewed."},
{"rule": "account-many-redemptions", "version": 1, "effective_from": "1970-01-01T00:00:00Z",
 "enabled": true,
 "over": "account", "counts": "redemptions", "measure": "count", "window": "1d", "threshold": 15,
 "on_purchase": "allow", "on_redemption": "decline", "on_history": false,
 "fa": "این حساب در یک روز {value} بار امتیاز خرج کرده است؛ بیش از {threshold} بار پذیرفته نمی‌شود.",
 "en": "This account redeemed {value} times in a day; more than {threshold} is not accepted."},
{"rule": "account-many-undos", "version": 1, "effective_from": "1970-01-01T00:00:00Z",
 "enabled": true,
 "over": "account", "counts": "undos", "measure": "count", "window": "1d", "threshold": 10,
 "on_purchase": "hold", "on_redemption": "allow", "on_history": false,
 "fa": "این حساب در یک روز {value} بار کالا پس داده است؛ خرید پس از بیش از {threshold} بار بررسی می‌شود.",
 "en": "This account undid {value} sales in a day; a purchase after more than {threshold} is reviewed."}
]$rules$::jsonb) as body;
