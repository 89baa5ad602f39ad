"""People, departments and who belongs where; the doors they come in by."""
