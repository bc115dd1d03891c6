"""The pure core: values in, values out. No clock, socket, file, SQL, randomness, logging or environment."""
