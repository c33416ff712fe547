"""What alerts look like in the wild: one module per product, each known by its shape and turned into the canonical alert."""
