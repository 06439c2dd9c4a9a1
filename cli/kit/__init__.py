"""The authoring kit: the offline commands of `commissary catalog`, one module each.

They read files and the register at most; no engine, no directory and no API has to run. What they show is decided in
`catalog`; here are only arguments, files and the terminal.
"""
