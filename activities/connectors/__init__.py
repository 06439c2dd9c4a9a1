"""Connectors: one package per kind of target, each with its settings and a README.

A connector implements a port of `activities.ports`, raises only `activities.errors` and knows nothing of Temporal,
the register or the catalog's rules.
"""
