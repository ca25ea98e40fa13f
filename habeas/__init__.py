"""Habeas fulfils data subject requests across every system that holds a person's data."""
