"""Attribution methods measured where the true cause of a picture is known.

A protocol (`protocols`) makes trials (`trials`) of a model and its pictures; `measure` asks them of a method
and of the controls, and tells means with intervals. `truth_lab` is the table of planted causes as shipped.
"""
