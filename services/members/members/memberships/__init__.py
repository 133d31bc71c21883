"""Enrolment, one by one or by the file, and the whole view of a member."""
