"""The library as a person sees it: table, folders, covers, indexing and its strip."""
