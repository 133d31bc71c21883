-- Terminals, what activates them, and the keys they sign in with.

create table terminals (
    terminal int primary key check (terminal > 0),
    merchant int not null,
    branch int not null,
    version int not null check (version > 0),       -- rises with every change that is published
    epoch int not null default 0 check (epoch >= 0), -- rises with every activation
    active boolean not null default false,
    recorded_at timestamptz not null default now(),
    foreign key (merchant, branch) references branches (merchant, branch)
);
create index terminals_merchant on terminals (merchant, terminal);

create table terminal_keys (
    terminal int not null references terminals,
    key_id text not null check (key_id ~ '^[a-z0-9]{8}$'),
    sha256 text not null unique check (sha256 ~ '^[0-9a-f]{64}$'), -- the secret itself is nowhere
    created_at timestamptz not null,
    revoked_at timestamptz,
    primary key (terminal, key_id)
);

create table activations (
    activation uuid primary key,
    terminal int not null references terminals,
    epoch int not null,
    key_id text not null,
    activated_at timestamptz not null,
    unique (terminal, epoch)
);

grant select, insert, update on terminals, terminal_keys to merchants;
grant select, insert on activations to merchants;
