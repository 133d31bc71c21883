"""The HTTP server: bounds of time, bytes and number for callers, and a port for operators."""
