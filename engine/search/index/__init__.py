"""Nearest neighbours among stored embeddings: exact, and by HNSW graphs."""
