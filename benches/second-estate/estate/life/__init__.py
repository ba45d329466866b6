"""Normal life: what happens in the estate when nobody attacks it."""
