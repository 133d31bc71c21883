"""The yardstick: the same topics and hops, and nothing done on the way."""
