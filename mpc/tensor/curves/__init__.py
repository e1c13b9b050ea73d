"""Functions of secret tensors: curves from one opening, and what is made of them.

Docstrings give, for f = 16 fraction bits and the additive protocol with two parties: the largest error of a dense scan of the
whole domain with its edges, against float64 of the same encoded input; online rounds; and bytes sent by a party for an
element, an input that is not open yet. A unit is one in the last place, 2^-f. Other f keep the errors about so up to f = 20;
relative ones grow below f = 14, and beyond f = 20 errors reach tens of units and more (functions that say so apart).
Of many elements, where work counts more than rounds (on loopback from some thousands on; the planner decides), functions of
numbers of any size take 5 rounds more. An operand that is a product not truncated yet costs its truncation first, but not
for the bounded functions, exp, sin and cos, which take it as it is.
"""
