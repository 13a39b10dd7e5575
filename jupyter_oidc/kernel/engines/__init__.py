"""Engines that run work elsewhere, each with a module that brings a grant to its workers; none is imported unless used."""
