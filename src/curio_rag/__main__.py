"""`python -m curio_rag` is the command line."""

from curio_rag.faces.cli import main

if __name__ == "__main__":
    main()
