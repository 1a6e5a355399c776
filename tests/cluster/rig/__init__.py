"""A deployment on machines of its own, which are namespaces of this one: what sets it up, calls it and breaks it."""
