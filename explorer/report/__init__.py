"""A report: one HTML file about one picture and one model, and the recipe that makes it again."""
