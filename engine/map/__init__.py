"""The map of a library: all songs of one view in the plane, near to those that sound like them.

Importing this loads nothing; ``engine.map.library_map`` brings scipy's sparse matrices with it.
"""

MIN_SONGS = 4
