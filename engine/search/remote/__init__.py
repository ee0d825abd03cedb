"""Searching a Qdrant collection in the place of a library: where one index no longer fits.

``singalike-catalogue to-qdrant`` fills it. The package qdrant-client comes with the extra
``catalogue`` and is imported when it is needed.
"""
