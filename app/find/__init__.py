"""The first page: table and results; filters, comparison, journeys, the menus of songs."""
