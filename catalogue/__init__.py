"""Beyond one machine: many workers listen to a manifest and write shards; shards become searchable.

``singalike-catalogue`` is for archives and labels with millions of recordings. Workers run on Ray,
shards are Parquet, and what no longer fits one library goes to Qdrant. All of them come with the
extra ``catalogue``; the engine needs none. What is heard, and how, is the engine's alone.
"""
