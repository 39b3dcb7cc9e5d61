"""What an issue asks to be fast, measured: `python -m benchmarks`."""
