"""What an administrator can switch off for the whole installation."""
