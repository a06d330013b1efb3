"""Orchestration over ports; no third-party imports."""
