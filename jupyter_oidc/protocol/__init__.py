"""Sans-I/O OpenID Connect: values in, values out; no clock, no random numbers, no network, no event loop.

Every protocol step is a pair of functions, *build the call* and *judge the reply*.
Tests of this package are tables of values; one adapter knows that a network exists.
"""
