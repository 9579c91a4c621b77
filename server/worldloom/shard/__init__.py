"""The shard is the authority on motion; it knows no sockets."""
