"""Attribution methods, cut into parts that can be shown, counted and stopped.

Each is a generator over one `Case` and yields a `Part` after every piece of work.
"""
