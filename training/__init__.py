"""Training of voice encoders: data preparation, pair sampling, losses, the loop, export."""
