"""What managers and administrators look after: the audit trail, and everything of all departments."""
