"""The read side: what clients and operators see."""
