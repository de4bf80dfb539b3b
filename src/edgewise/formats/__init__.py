"""The formats in which people keep instances: one file a format, one common form between them."""
