"""The command line behind ./fillpath."""
