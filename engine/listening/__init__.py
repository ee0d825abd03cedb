"""Files or stems -> segments -> embeddings: one path for library, training, evaluation."""
