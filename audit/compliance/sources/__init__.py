"""Where reports get their facts: each module reads one app below; the database's policies bound what is seen."""
