"""TMF640 activation core: intent, render, diff, plan, transact, verify."""
