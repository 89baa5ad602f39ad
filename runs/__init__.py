"""One execution of an agent: its row, its log, its files, and everything that carries it out and shows it."""
