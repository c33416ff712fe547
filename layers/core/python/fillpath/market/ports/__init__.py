"""What market rules need from outside, one protocol per file."""
