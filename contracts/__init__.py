"""Every message that crosses a process line, in shapes alone: standard library, pydantic and the vocabulary."""
