"""What touches the outside: ports, thin activities over them, and the connectors that implement them."""
