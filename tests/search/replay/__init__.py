"""Tests of search.replay."""
