"""Training material made by a computer: sung voices from spoken ones, and backings.

Everything is drawn from a seed, so others can rebuild it with the commands in docs/training.md.
"""
