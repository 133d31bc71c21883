-- Terminals and merchants that are stopped at once, and opened again: every change, for ever.

create table standings (
    change uuid primary key,                -- the caller's name of the change
    subject text not null check (subject in ('terminal', 'merchant')),
    number int not null check (number > 0),
    version int not null check (version > 0),  -- of this subject, without gaps; the newest counts
    stopped boolean not null,
    reason text not null,
    changed_by text not null,
    changed_at timestamptz not null,
    unique (subject, number, version)
);

alter table terminals add column stopped boolean not null default false;

grant select, insert on standings to merchants;
