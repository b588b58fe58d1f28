"""Planted mistakes in what people see and plug into, each with the test that must find it."""
