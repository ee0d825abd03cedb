"""The map: every song as a point, near to those that sound like it."""
