"""The command line: `commissary`. It starts the processes, and for people it talks HTTP to the API as any client."""
