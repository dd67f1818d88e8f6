"""Everything that touches this machine: processes, git, compilers, interpreters, folders, threads."""
