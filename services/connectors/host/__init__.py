"""The host around the engine: who is enrolled, what arrived, who works on it, what is told and forgotten."""
