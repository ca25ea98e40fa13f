"""The shop's database as a processor of Habeas."""
