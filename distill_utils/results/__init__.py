"""What is kept and shown: every result as a row, what became of the blog's claims, every table, every plot."""
