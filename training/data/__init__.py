"""Data sets: sources, split, preparation, shards, and reading them back."""
