"""Laws: what every correct implementation of an operation satisfies, one theme a file."""
