"""The verbs of the edge: let in, look up, send and wait, ask what became of it."""
