"""HTTP in: routes, who may call them, and errors as problem documents."""
