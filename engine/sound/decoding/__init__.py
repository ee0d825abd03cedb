"""Files from strangers are parsed in processes of their own: a crash there costs one file.

``pool`` (here) asks, ``worker`` (there) answers, one message to each question: JSON and bytes,
never pickles, so that a process which a file has taken over can only lie. ``streams`` makes sound
of files, by ``ffmpeg`` or else ``sndfile``; ``tags`` reads what they say of themselves.
"""

from __future__ import annotations

import sys

# What a frozen program, which has no interpreter to call, is given to become a decoder process.
FLAG = "--singalike-decoder"


def serve_if_asked() -> None:
    """Become a decoder process where this one was started as one; to be called first of all."""
    if sys.argv[1:2] == [FLAG]:
        from engine.sound.decoding.worker import main

        main()
