"""The steps of an examination, one a file; `order.py` says which comes when."""
