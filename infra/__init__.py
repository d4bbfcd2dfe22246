"""Everything that the stack runs on."""
