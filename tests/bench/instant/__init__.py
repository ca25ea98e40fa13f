"""A processor for benchmarks: its vendor is this process's memory, so every task is answered at once."""
