"""Questions and answers: search, filters, results, comparison, journeys."""
