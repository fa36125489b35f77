"""Cases written to files with what the spec says of each, and read again with no trust in them."""
