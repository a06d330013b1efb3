"""How people and programs meet curio_rag: parse, one call, render."""
