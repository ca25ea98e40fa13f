"""What a request and its tasks are and may become: pure, no await, no I/O."""
