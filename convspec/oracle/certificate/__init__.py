"""Certificates: whether the recorded output of a layer is that of its recorded input, for less than
the layer itself costs.
"""
