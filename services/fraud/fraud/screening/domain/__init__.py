"""Pure rules of the road: windows, rules over them, decisions."""
