-- What is past its time is looked for every second, among messages that have not left yet.

create index messages_expiring on messages (expires_at) where state in ('waiting', 'queued');
