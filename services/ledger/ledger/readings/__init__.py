"""What people, auditors and other rooms' operators read of the book: one snapshot each, bounded."""
