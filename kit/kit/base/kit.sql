-- kit's own tables in every room: offsets, streams, outboxes, dead letters.

create table consumer_offsets (
    consumer text not null,
    topic text not null,
    partition int not null,
    next bigint not null,           -- -1: nothing read yet
    epoch bigint not null,          -- rises with every assignment: fences a paused writer
    cluster text not null,
    generation int not null,
    primary key (consumer, topic, partition)
) with (fillfactor = 50);

create table streams_heard (        -- last number of each stream a consumer has used
    consumer text not null,
    topic text not null,
    partition int not null,
    stream text not null,           -- service/writer
    generation int not null,
    n bigint not null,
    primary key (consumer, topic, partition, stream)
) with (fillfactor = 50);

create table streams_said (         -- last number each writer has given
    writer text not null,
    topic text not null,
    partition int not null,
    generation int not null,
    n bigint not null,
    primary key (writer, topic, partition)
) with (fillfactor = 50);

create table outbox_messages (      -- what HTTP and jobs said; the relay moves it to outbox_batches
    id bigint generated always as identity primary key,
    body bytea not null
);

create table outbox_batches (       -- committed, not yet acknowledged by the broker
    id bigint generated always as identity primary key,
    consumer text not null,         -- whose offsets fence it; "relay" for the relay
    source_topic text not null,
    source_partition int not null,
    topic text not null,
    partition int,                  -- null: by the key of each message
    stream text,                    -- null: not numbered
    first_n bigint not null,
    body bytea not null
);
-- gone again within milliseconds: compressing it would cost more than writing it
alter table outbox_batches alter column body set storage external;
create index outbox_batches_lane on outbox_batches (consumer, source_topic, source_partition, id);

create table dead_letters (         -- an operator deletes what was dealt with; the rest is counted
    consumer text not null,
    topic text not null,
    partition int not null,
    "offset" bigint not null,
    code text not null,
    detail text not null,
    counted boolean not null,       -- against the consumer's limit
    recorded_at timestamptz not null default now(),
    primary key (consumer, topic, partition, "offset")
);

do $$
begin
    if exists (select 1 from pg_roles where rolname = current_database()) then
        execute format('grant usage on schema public to %I', current_database());
        execute format('grant select, insert, update, delete on consumer_offsets, streams_heard, '
            'streams_said, outbox_messages, outbox_batches, dead_letters to %I', current_database());
    end if;
end $$;
