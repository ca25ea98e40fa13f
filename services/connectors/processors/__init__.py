"""Processors: one folder per kind, each importing nothing of Habeas but `habeas.sdk`."""
