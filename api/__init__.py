"""The HTTP process: it checks and takes orders, shows the register, and hands commands to running workflows."""
