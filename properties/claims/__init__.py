"""The ledger: every checkable statement of the source documents, with a verdict and its proofs.

`claims.toml` holds the statements; the tests beside it are the proofs that are no laws.  They run
once, on the definitions.  `ledger` reads the file and says what is wrong with it.
"""
