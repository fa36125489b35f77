"""What an implementation is asked: geometries, their order, and the arrays that fill them."""
