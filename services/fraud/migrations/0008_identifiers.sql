-- Of an identifier across merchants only redemptions are counted: purchases keep two rows of windows.

insert into rule_versions (rule, version, effective_from, author, body)
select
    body ->> 'rule', (body ->> 'version')::int, (body ->> 'effective_from')::timestamptz,
    'house', body
from (
    select item || '{"effective_from": "1970-01-01T00:00:00Z"}'::jsonb as body
    from jsonb_array_elements($rules$[
{"rule": "card-many-merchants", "version": 3, "enabled": false,
 "over": "account", "counts": "sales", "measure": "merchants", "window": "1h", "threshold": 8,
 "on_purchase": "allow", "on_redemption": "allow",
 "fa": "{value} فروشگاه در یک ساعت؛ جای خود را به account-many-merchants داده است.",
 "en": "{value} merchants in an hour; account-many-merchants has taken its place."},
{"rule": "account-many-merchants", "version": 1,
 "over": "account", "counts": "sales", "measure": "merchants", "window": "1h", "threshold": 8,
 "on_purchase": "hold", "on_redemption": "decline",
 "fa": "این حساب در یک ساعت در {value} فروشگاه به کار رفته است؛ بیش از {threshold} فروشگاه بررسی می‌شود.",
 "en": "This account was used at {value} merchants in an hour; above {threshold} it is reviewed."}
]$rules$::jsonb) as item
) as bodies;
update rulebook set revision = revision + 1;
