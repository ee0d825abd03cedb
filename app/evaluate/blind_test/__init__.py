"""The blind listening test: play, compare, answer."""
