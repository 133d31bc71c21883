"""The book's own facts: accounts, chart, lots, money, dates; below everything else."""
