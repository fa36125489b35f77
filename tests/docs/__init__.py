"""The site: a chapter for each file of the spec, and pages that hold together and can be read."""
