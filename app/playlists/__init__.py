"""Songs for other programs: playlists, tables, dragging."""
