"""The first purchase of an account: a lot of money credit, once, and its return (SH5)."""
