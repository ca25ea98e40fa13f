"""Writes what readers in other languages build on: JSON Schemas and AsyncAPI documents, from the models alone."""
