"""The speed of the road: open loop through the SDK, against a bare road in the same run."""
