"""The calls of each room, which `Operator` joins."""
