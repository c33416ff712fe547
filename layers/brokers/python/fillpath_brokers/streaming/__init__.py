"""Live streams of venues: protocols without I/O, and the one driver that connects, supervises and reconnects them."""
