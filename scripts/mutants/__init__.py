"""Planted faults: is there a test for every decision of the gate?"""
