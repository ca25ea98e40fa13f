"""A simulator of OpenAI's API for what it keeps: files, vector stores, stored completions, responses, conversations."""
