"""Lockers for Commissary. Nothing is imported here: the sandbox loads this file anew for every run of a workflow."""
