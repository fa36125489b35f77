def receptive_field(layers, index):
    """The field begins where the strides say."""
    r, jump = 1, 1
    for k, s, p in layers:
        r = r + (k - 1) * jump
        jump = jump * s
    return [index * jump, index * jump + r - 1]
