"""Pairs of excerpts: drawn, mixed and altered on the device."""
