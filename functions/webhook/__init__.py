"""The webhook. The collector rests while its modules load: what they make stays, and a caller waits for a cold start."""

import gc

gc.disable()
