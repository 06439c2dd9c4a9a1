"""The language of the catalog and its pure rules.

Everything here is a function of its arguments: no clock, no environment, no network, no database. Only
`loader` reads files, and `mail` its templates; no workflow ever calls them. Allowed imports: the standard
library, pydantic, jinja2 (and a YAML parser in `source`).
"""
