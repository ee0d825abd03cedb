"""Songs for other programs: playlists and tables."""
