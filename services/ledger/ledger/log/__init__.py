"""The log: records, leaves, the tree over them, signed checkpoints, proofs."""
