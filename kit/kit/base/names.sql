-- the words of decision 0033: a consumer's positions, and the numbers that a writer has given

alter table streams_heard rename to stream_positions;
alter table streams_said rename to stream_sequences;
alter index outbox_batches_lane rename to outbox_batches_source;
