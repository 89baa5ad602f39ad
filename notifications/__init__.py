"""What people are told: in the application, by mail, or once a day."""
