"""Local tables of what merchants publish: programmes and the network terms."""
