"""What pages share, without widgets: open library, searching, indexing, watched folders."""
