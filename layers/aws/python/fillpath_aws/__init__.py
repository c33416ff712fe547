"""The adapters of the domain's ports on AWS; file names equal the ports they serve."""
