"""CVSM: log-mel front end, EfficientNet-B0 encoder and checkpoint format (arXiv 2510.03025)."""
