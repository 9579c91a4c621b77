"""One-file bots that run: greeter, follower, crowd."""
