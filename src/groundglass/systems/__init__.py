"""One file per published system: wiring and proof."""
