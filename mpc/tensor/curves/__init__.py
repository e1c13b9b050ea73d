"""Functions of secret tensors: curves from one opening, and what is made of them."""
