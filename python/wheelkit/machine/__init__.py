"""All that touches this machine: its facts, programs, git, compilers, interpreters, folders, threads and progress."""
