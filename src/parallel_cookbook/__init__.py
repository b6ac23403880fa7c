"""Recipes for parallel programming in Python, and the tools that run and prove them."""
