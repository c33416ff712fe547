"""The simulated exchange: the venue for trying everything without a broker."""
