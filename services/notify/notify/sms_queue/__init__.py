"""The SMS queue: one message for each outcome and template, and its state."""
