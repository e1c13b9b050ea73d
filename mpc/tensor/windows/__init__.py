"""Functions of windows that move over images and sequences: convolutions, pools, padding, by PyTorch's names and arguments."""
