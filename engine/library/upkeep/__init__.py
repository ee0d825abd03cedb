"""Whether a library's file is sound, and mending it."""
