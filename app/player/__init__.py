"""Playback: queue, decks, output and devices; the bar and the waveform."""
