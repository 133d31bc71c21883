-- The second person of an act that two people made: "" where one was enough.

alter table audit add column approved_by text not null default '';
