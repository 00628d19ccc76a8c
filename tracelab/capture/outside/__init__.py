"""What lies outside the arguments of the traced code: flags, counters, caches and lists that it reads and changes."""
