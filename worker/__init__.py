"""The worker process: its settings, its wiring, and running it. No rules of requests here."""
