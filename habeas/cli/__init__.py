"""The `habeas` command: talks HTTP to Habeas, or starts its processes; never opens a database."""
