def same_padding(size, kernel, stride):
    p = kernel // 2
    return p, p
