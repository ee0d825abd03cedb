"""The report's figures in the window: shown, pointed at, copied."""
