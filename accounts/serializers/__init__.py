"""People and what they own of themselves, as the API takes and shows it."""
