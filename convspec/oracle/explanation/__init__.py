"""From a finding to what a person can use: smallest case, cause, a program that shows it."""
