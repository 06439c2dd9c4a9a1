"""What goes over HTTP: the bodies that are read, strictly, and those that are sent.

A model of an answer is made from a value of the catalog or the register by `of`; what a viewer may see and do is
asked of `catalog.rights`, never decided here.
"""
