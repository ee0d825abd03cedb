"""What every page is drawn with: theme, palette, widgets, dialogs, shortcuts."""
