"""What posting alone knows: a shard's registry, and every line a till or member reads."""
