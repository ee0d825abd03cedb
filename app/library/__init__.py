"""The library as a person sees it: table, folders, covers, strip of indexing, first start."""
