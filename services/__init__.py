"""What runs: one process for each service, all bolted onto one chassis."""
