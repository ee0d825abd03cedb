"""What a person keeps: favourites, playlists, marks of same and other voices, saved searches."""
