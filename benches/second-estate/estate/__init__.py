"""An estate of customers in Azure: its people, its daily life, attacks on it and work that only looks like attacks."""
