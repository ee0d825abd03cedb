"""Preferences: one dialog, one file per section."""
