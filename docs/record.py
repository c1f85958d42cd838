"""Make a picture of what a command printed: `python docs/record.py < LOG > docs/demo.svg`."""

import sys
from html import escape

LINE, GLYPH, MARGIN = 16, 7.8, 14  # pixels


def main() -> None:
    """Turn the lines of stdin into an SVG of a terminal."""
    lines = sys.stdin.read().rstrip("\n").splitlines()
    width = round(max(map(len, lines)) * GLYPH) + 2 * MARGIN
    height = len(lines) * LINE + 2 * MARGIN
    print(f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}">')
    print(f'<rect width="{width}" height="{height}" rx="6" fill="#14171c"/>')
    print('<g font-family="monospace" font-size="13" fill="#d6dae0" xml:space="preserve">')
    for number, line in enumerate(lines):
        color = ' fill="#8fd18f"' if line.startswith("$ ") else ""
        y = MARGIN + (number + 1) * LINE - 4
        print(f'<text x="{MARGIN}" y="{y}"{color}>{escape(line)}</text>')
    print("</g></svg>")


if __name__ == "__main__":
    main()
