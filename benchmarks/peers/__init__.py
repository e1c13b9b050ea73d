"""Other published systems, run beside ours: each in an environment of its own, on the inputs that ours gets."""
