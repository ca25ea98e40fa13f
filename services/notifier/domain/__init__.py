"""What a notice is and what it says, without any input or output."""
