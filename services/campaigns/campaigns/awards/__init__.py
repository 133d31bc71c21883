"""The road: a screened transaction becomes a command with its awards, once per name."""
