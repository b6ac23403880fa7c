"""Pure renderers: the same result as terminal text or as JSON. Nothing here prints."""
