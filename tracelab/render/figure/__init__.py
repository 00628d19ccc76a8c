"""Figures for papers and slides: modules as boxes, sizes on the lines, as SVG, PDF, PNG and TikZ."""
