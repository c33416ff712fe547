"""One suite per port: the fake and the adapter on AWS (moto, in this process) must pass the same cases."""
