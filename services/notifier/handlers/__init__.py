"""The notifier's use cases, one a file."""
