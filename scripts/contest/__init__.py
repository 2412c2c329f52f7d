"""What `make bench` is made of: contestants, who makes them, what is measured of them, and how it is shown.

A contestant is a folder and a short program that answers texts in it. Each runs in interpreters of its own.
"""
