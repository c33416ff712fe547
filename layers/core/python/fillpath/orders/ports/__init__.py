"""What the use cases of the order path need from outside, one protocol per file."""
