"""Adjustments: corrections by hand, which two people make."""
