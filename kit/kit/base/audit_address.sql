-- Where a request came from, as the gateway saw it: "" where it was not said.

alter table audit add column address text not null default '';
