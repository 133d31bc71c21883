-- The party of each merchant, so that a text names the shop of a partner whose key added a card.
-- What is kept has none: it is read again from its topic, which has the newest of every merchant.

alter table merchants add column party int not null default 0;
create index merchants_of_party on merchants (party, merchant);

delete from merchants;
delete from consumer_offsets where topic = 'merchants.merchants';
