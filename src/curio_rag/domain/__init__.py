"""Frozen values with no storage and no framework; the standard library and `rfc8785` only."""
