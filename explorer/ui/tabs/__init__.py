"""The tabs of the page: one folder each, with its views and their templates."""
