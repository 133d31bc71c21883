"""The second model: each command's effects, computed from its bytes and the state before it."""
