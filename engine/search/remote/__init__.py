"""Searching a catalogue in the place of a library: millions of songs in a table of LanceDB.

``singalike-catalogue`` fills it. The package lancedb comes with the extra ``catalogue`` and is
imported when it is needed.
"""
