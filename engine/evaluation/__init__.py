"""How well a model knows voices: the paper's tables and figures, on any data, for any model."""
