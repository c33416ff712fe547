"""Instruments and symbols."""
