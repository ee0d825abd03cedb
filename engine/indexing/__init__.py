"""The pipeline over a library: scan, listen, bring indexes up to date; watched folders."""
