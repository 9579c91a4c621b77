"""The wire protocol: messages, codec, frame bodies. Below everything, light to import."""
