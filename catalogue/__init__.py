"""Beyond one machine: many workers listen to a manifest and append to a table that is searched.

``singalike-catalogue`` is for archives and labels with millions of recordings. Workers run on Ray,
tables are LanceDB's, in a folder or in a store of objects. Both come with the extra ``catalogue``;
the engine needs neither. What is heard, and how, is the engine's alone.
"""
