"""The map of a library: all songs of one view in the plane, near to those that sound like them.

Importing this loads nothing; making a map loads openTSNE.
"""

MIN_SONGS = 4
