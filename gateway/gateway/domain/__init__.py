"""Pure rules of the edge: shapes, limits, keys, what is stamped; no I/O, no clock."""
