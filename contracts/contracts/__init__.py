"""Words that rooms share: values, envelope, topics, one module per owner."""
