-- People who may sign in, what they may do, and every change of it.

create table users (
    user_id uuid primary key,               -- the caller's name of the person
    login text not null unique,             -- a mobile number in E.164, or an e-mail in small letters
    name_fa text not null,
    name_en text not null,
    grants text[] not null,                 -- roles of the network, or owner:5 and the like
    first_grants text[] not null,           -- as the user was registered
    stopped boolean not null default false,
    accepted_at timestamptz,                -- when the last invitation was accepted
    created_at timestamptz not null
);

create table user_changes (                 -- of what a user may do, and whether: for ever
    change uuid primary key,                -- the caller's name of the change
    user_id uuid not null references users,
    version int not null check (version > 0),  -- of this user, without gaps
    kind text not null check (kind in ('standing', 'grants')),
    stopped boolean not null,               -- as the change leaves it
    grants text[] not null,
    reason text not null,
    changed_by text not null,
    changed_at timestamptz not null,
    unique (user_id, version)
);

create table passwords (
    user_id uuid primary key references users,
    hash text not null,                     -- argon2id with its parameters, in the PHC form
    changed_at timestamptz not null
);

grant select, insert, update on users, passwords to identity;
grant select, insert on user_changes to identity;
