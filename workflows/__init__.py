"""Durable orchestration: the frame every request shares, and one workflow class per kind of fulfilment."""
