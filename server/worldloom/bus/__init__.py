"""The bus carries moves down and frames up; neither side knows how."""
