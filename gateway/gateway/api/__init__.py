"""The HTTP door: the road's routes, the services' addresses passed on, the document."""
