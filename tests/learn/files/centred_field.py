def receptive_field(layers, index):
    size, jump = 1, 1
    for kernel, stride, padding in layers:
        size += (kernel - 1) * jump
        jump *= stride
    centre = index * jump
    first = centre - (size - 1) // 2
    return first, first + size - 1
