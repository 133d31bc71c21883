-- Applications of merchants, the states that each reached, and the documents that an assessment
-- rests on: questionnaire, rules and prices, in immutable versions.

create table onboarding_documents (
    kind text not null check (kind in ('questionnaire', 'rules', 'prices')),
    version int not null check (version > 0),
    effective_from timestamptz not null,
    body jsonb not null,
    published_at timestamptz not null,
    primary key (kind, version)
);

create table applications (
    application uuid primary key,               -- the caller's
    applicant jsonb not null,                   -- titles, numbers, Sheba
    questionnaire_version int not null,
    answers jsonb not null,
    state text not null check (
        state in ('applicant', 'assessed', 'approved', 'active', 'rejected', 'withdrawn')),
    applied_at timestamptz not null,
    applied_by text not null,
    recorded_at timestamptz not null default now()
);
create index applications_state on applications (state, application);

create table application_transitions (
    number bigint generated always as identity, -- the order in which they happened
    application uuid not null references applications,
    state text not null,
    at timestamptz not null,
    by text not null,
    document jsonb not null,                    -- the assessment, the approval, the reason, …
    primary key (application, state)            -- each state is reached once
);

grant select, insert on onboarding_documents, application_transitions to merchants;
grant select, insert on applications to merchants;
grant update (state) on applications to merchants;

insert into onboarding_documents (kind, version, effective_from, body, published_at) values
('questionnaire', 1, '2026-01-01T00:00:00Z', $json$
{"questions": [
 {"kind": "choice", "id": "sector", "fa": "چه می‌فروشید؟", "en": "What do you sell?", "choices": [
  {"code": "supermarket", "fa": "خواربار", "en": "Groceries"},
  {"code": "bakery", "fa": "نان و شیرینی", "en": "Bread and pastry"},
  {"code": "restaurant", "fa": "غذا و کافه", "en": "Food and coffee"},
  {"code": "clothing", "fa": "پوشاک", "en": "Clothing"},
  {"code": "electronics", "fa": "لوازم خانگی و دیجیتال", "en": "Appliances and electronics"},
  {"code": "pharmacy", "fa": "دارو", "en": "Medicine"},
  {"code": "beauty", "fa": "آرایش و زیبایی", "en": "Beauty"},
  {"code": "books", "fa": "کتاب و نوشت‌افزار", "en": "Books and stationery"},
  {"code": "services", "fa": "خدمات", "en": "Services"},
  {"code": "other", "fa": "چیز دیگر", "en": "Something else"}]},
 {"kind": "choice", "id": "size", "fa": "چند نفر در کسب‌وکار شما کار می‌کنند؟",
  "en": "How many people work in your business?", "choices": [
  {"code": "micro", "fa": "کمتر از ۱۰", "en": "Under 10"},
  {"code": "small", "fa": "۱۰ تا ۴۹", "en": "10 to 49"},
  {"code": "medium", "fa": "۵۰ تا ۲۴۹", "en": "50 to 249"},
  {"code": "large", "fa": "۲۵۰ و بیشتر", "en": "250 and more"}]},
 {"kind": "integer", "id": "branches", "fa": "چند شعبه دارید؟", "en": "How many branches have you?",
  "unit": "branches", "minimum": 1, "maximum": 10000},
 {"kind": "choice", "id": "channel", "fa": "کجا می‌فروشید؟", "en": "Where do you sell?", "choices": [
  {"code": "till", "fa": "در فروشگاه", "en": "In shops"},
  {"code": "online", "fa": "اینترنتی", "en": "Online"},
  {"code": "both", "fa": "هر دو", "en": "Both"}]},
 {"kind": "integer", "id": "margin_percent", "fa": "از هر ۱۰۰ ریال فروش، پس از بهای کالا چند ریال می‌ماند؟",
  "en": "Of 100 Rial of sales, how many are left after the cost of goods?",
  "unit": "percent", "minimum": 0, "maximum": 95},
 {"kind": "integer", "id": "customers", "fa": "در یک سال چند مشتری جدا از شما می‌خرند؟",
  "en": "How many different customers buy from you in a year?",
  "unit": "customers", "minimum": 10, "maximum": 50000000},
 {"kind": "integer", "id": "purchases_per_year", "fa": "یک مشتری در سال چند بار می‌خرد؟",
  "en": "How often does a customer buy in a year?", "unit": "purchases", "minimum": 1, "maximum": 366},
 {"kind": "integer", "id": "basket_rial", "fa": "میانگین مبلغ یک خرید چند ریال است؟",
  "en": "How many Rial is an average purchase?",
  "unit": "rial", "minimum": 10000, "maximum": 10000000000},
 {"kind": "choice", "id": "competitors", "fa": "رقیبان نزدیک شما طرح امتیاز دارند؟",
  "en": "Have the competitors near you a points scheme?", "choices": [
  {"code": "none", "fa": "رقیب نزدیکی نیست", "en": "No competitor is near"},
  {"code": "without-club", "fa": "رقیب هست و طرحی ندارد", "en": "Competitors without a scheme"},
  {"code": "with-club", "fa": "دست‌کم یکی طرح دارد", "en": "At least one with a scheme"}]},
 {"kind": "integer", "id": "competitor_reward_percent",
  "fa": "رقیب چند درصد خرید را به مشتری برمی‌گرداند؟",
  "en": "What percentage of a purchase does the competitor give back?",
  "unit": "percent", "minimum": 0, "maximum": 50,
  "asked_if": {"question": "competitors", "choice": "with-club"}},
 {"kind": "choice", "id": "goal", "fa": "مهم‌ترین هدف شما چیست؟", "en": "What is your first goal?",
  "choices": [
  {"code": "acquire", "fa": "مشتری تازه", "en": "New customers"},
  {"code": "retain", "fa": "برگشت مشتری", "en": "Customers who come back"},
  {"code": "frequency", "fa": "خرید بیشتر هر مشتری", "en": "More purchases of each customer"},
  {"code": "basket", "fa": "سبد بزرگ‌تر", "en": "Larger baskets"}]},
 {"kind": "integer", "id": "goal_target_percent", "fa": "چند درصد بیشتر؟",
  "en": "By how many percent?", "unit": "percent", "minimum": 1, "maximum": 300},
 {"kind": "date", "id": "goal_by", "fa": "تا چه روزی؟", "en": "By which day?",
  "days_min": 30, "days_max": 1100},
 {"kind": "choice", "id": "second_goal", "fa": "هدف دوم شما چیست؟", "en": "What is your second goal?",
  "optional": true, "choices": [
  {"code": "acquire", "fa": "مشتری تازه", "en": "New customers"},
  {"code": "retain", "fa": "برگشت مشتری", "en": "Customers who come back"},
  {"code": "frequency", "fa": "خرید بیشتر هر مشتری", "en": "More purchases of each customer"},
  {"code": "basket", "fa": "سبد بزرگ‌تر", "en": "Larger baskets"}]},
 {"kind": "integer", "id": "second_goal_target_percent", "fa": "هدف دوم: چند درصد بیشتر؟",
  "en": "Second goal: by how many percent?", "unit": "percent", "minimum": 1, "maximum": 300,
  "asked_if": {"question": "second_goal"}},
 {"kind": "date", "id": "second_goal_by", "fa": "هدف دوم: تا چه روزی؟",
  "en": "Second goal: by which day?", "days_min": 30, "days_max": 1100,
  "asked_if": {"question": "second_goal"}},
 {"kind": "text", "id": "note", "fa": "چه چیز دیگری را باید بدانیم؟",
  "en": "What else should we know?", "optional": true, "length_max": 500}
]}
$json$, now()),
('rules', 1, '2026-01-01T00:00:00Z', $json$
{"goals": [
  {"goal": "acquire", "margin_share_bp": 1200, "indicator": "new-customers",
   "fa": "رشد شمار مشتریان تازه", "en": "Growth of new customers"},
  {"goal": "retain", "margin_share_bp": 800, "indicator": "returning-customers",
   "fa": "رشد شمار مشتریانی که برمی‌گردند", "en": "Growth of customers who come back"},
  {"goal": "frequency", "margin_share_bp": 1000, "indicator": "purchases-each",
   "fa": "رشد شمار خرید هر مشتری", "en": "Growth of each customer's purchases"},
  {"goal": "basket", "margin_share_bp": 800, "indicator": "average-basket",
   "fa": "رشد میانگین سبد", "en": "Growth of the average basket"}],
 "rate_step_bp": 25, "rate_min_bp": 50, "rate_max_share_bp": 4000,
 "validities": [
  {"purchases_min": 24, "days": 365},
  {"purchases_min": 6, "days": 540},
  {"purchases_min": 0, "days": 730}],
 "validity_min_days": 180, "validity_max_days": 1095,
 "activation_days": {"till": 0, "online": 7, "both": 7}, "activation_max_days": 30,
 "redeem_min_rial": 50000,
 "redeem_shares": [
  {"margin_min_bp": 2000, "share_bp": 10000},
  {"margin_min_bp": 0, "share_bp": 5000}],
 "rare_purchases_max": 3, "own_discount_share_bp": 1000,
 "budget_step_rial": 1000000,
 "welcome_share_bp": 2000, "welcome_step_rial": 10000, "welcome_max_rial": 2000000,
 "low": {"participation_bp": 2000, "redemption_bp": 6000},
 "middle": {"participation_bp": 4000, "redemption_bp": 7500},
 "high": {"participation_bp": 6000, "redemption_bp": 9000},
 "warning_share_bp": 3000,
 "packages": [
  {"package": "custom", "branches_min": 50, "sizes": ["large"]},
  {"package": "advanced", "branches_min": 2, "channels": ["online", "both"]},
  {"package": "basic", "branches_min": 1}]}
$json$, now()),
('prices', 1, '2026-01-01T00:00:00Z', $json$
{"message_rial": 1500,
 "packages": {
  "basic": {"fa": "پایه", "en": "Basic",
   "features": [
    {"fa": "ثبت‌نام اعضا با موبایل و کارت", "en": "Enrolment by mobile and card"},
    {"fa": "امتیاز برای هر خرید و خرج آن در همهٔ شبکه",
     "en": "Points for every purchase, to be spent in the whole network"},
    {"fa": "پیامک خرید", "en": "An SMS for a purchase"}],
   "setup_rial": 50000000, "setup_branch_rial": 10000000,
   "monthly_rial": 5000000, "monthly_branch_rial": 2000000},
  "advanced": {"fa": "پیشرفته", "en": "Advanced",
   "features": [
    {"fa": "همهٔ بستهٔ پایه", "en": "All of the basic package"},
    {"fa": "اتصال فروشگاه اینترنتی", "en": "Connection of an online shop"},
    {"fa": "قاعده‌های پاداش", "en": "Bonus rules"},
    {"fa": "گزارش روزانهٔ فروش و امتیاز", "en": "Daily reports of sales and points"}],
   "setup_rial": 150000000, "setup_branch_rial": 20000000,
   "monthly_rial": 15000000, "monthly_branch_rial": 4000000},
  "custom": {"fa": "سفارشی", "en": "Custom",
   "features": [
    {"fa": "همهٔ بستهٔ پیشرفته", "en": "All of the advanced package"},
    {"fa": "آنچه در قرارداد می‌آید", "en": "What the contract names"}],
   "setup_rial": 500000000, "setup_branch_rial": 20000000,
   "monthly_rial": 50000000, "monthly_branch_rial": 4000000, "at_least": true}}}
$json$, now());
