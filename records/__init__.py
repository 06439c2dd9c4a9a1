"""The register: what people query, and the one place where orders, journals and notices are kept."""
