"""A simulated SMS provider in the wire shape of Kavenegar, with faults on request."""
