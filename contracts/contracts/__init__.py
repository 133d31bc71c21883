"""Shapes of messages that rooms share: values, envelope, topics, one module per owner."""
