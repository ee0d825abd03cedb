"""Scanning folders: which files are there, what their tags say, what moved or changed."""
