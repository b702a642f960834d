"""Figures for Prometheus, served on an address of their own.

    figures   what is counted and how it is called
    traffic   the same of calls to the networks
    serving   the address that is asked for them

Must not show a text, a token or an id: labels are names of bridges and words of a fixed list.
"""
