"""Pure rules of the engine: schema, conditions, effects, the book of live versions."""
