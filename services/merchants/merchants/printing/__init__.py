"""Papers to print: values of a sheet, its text set right to left, and the bytes of a PDF."""
