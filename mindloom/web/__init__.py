"""Everything a browser sees: context, template tags, markdown, the style guide."""
