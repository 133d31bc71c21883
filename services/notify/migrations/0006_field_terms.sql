-- Names of the field: an SMS has segments, a delivery is polled, a merchant's titles are kept.

alter table messages rename column parts to segments;
alter table messages rename column asked_at to polled_at;
alter index messages_under_way rename to messages_undelivered;

alter table merchants rename to titles;
alter index merchants_of_party rename to titles_of_party;
