"""The desktop around the window: file manager, drag and drop, second starts, the log."""
