"""Teams of agents: built, published in versions, and turned into what the engine runs."""
