"""The routes, one module per resource. A route reads its input, calls one function, and shapes the answer."""
