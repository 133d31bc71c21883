"""Programmes of merchants and terms of the network, in effective-dated versions."""
