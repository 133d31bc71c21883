"""What people, auditors and operators read: one snapshot each, bounded."""
