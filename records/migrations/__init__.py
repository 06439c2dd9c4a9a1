"""The history of the register's schema. Run by `Register.migrate`; users need no Alembic of their own."""
