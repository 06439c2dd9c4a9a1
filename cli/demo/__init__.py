"""What `commissary demo` starts besides the platform itself, and how it is all kept together.

A directory and a mail relay that live in a Python process each, and the supervisor of the process tree. Nothing of
this is for production, and no other package imports it.
"""
