"""Encoders made by others, against which ours are measured."""
