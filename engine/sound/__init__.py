"""Sound: files of any format, decoded crash-isolated; resampling, loudness."""
